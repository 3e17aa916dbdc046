use warp::http::header::{CONNECTION, HOST, HeaderValue, TRANSFER_ENCODING};
use warp::http::{Request, Version};

use super::api_error::ApiError;
use crate::protocol::Code;

/// Checks that a request names a path and exactly one host (RFC 9112 §3.2), and
/// returns the host, which only requests before HTTP/1.1 may lack. The target is a
/// path or a whole URL. It is not `*`, nor an authority as in `CONNECT`: `warp` panics
/// on a URI without a path.
pub fn check<B>(request: &Request<B>) -> Result<Option<&str>, ApiError> {
    if !request.uri().path().starts_with('/') {
        return Err(bad_request("A request must name a path that begins with a slash."));
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().map(Some).map_err(|_| one_host())?,
        // There was no such header before HTTP/1.1.
        (None, None) if request.version() < Version::HTTP_11 => None,
        _ => return Err(one_host()),
    };
    match (request.uri().authority(), host) {
        // A whole URL names the host as well.
        (Some(authority), Some(host)) if !authority.as_str().eq_ignore_ascii_case(host) => Err(one_host()),
        (Some(authority), _) => Ok(Some(authority.as_str())),
        (None, host) => Ok(host),
    }
}

/// Whether the connection must close after the response. A chunked request may have
/// had a `Content-Length`, too, which hyper drops. A proxy that believed it would pass
/// on a request hidden in the body (RFC 9112 §6.1).
pub fn must_close<B>(request: &Request<B>) -> bool {
    request.headers().contains_key(TRANSFER_ENCODING)
}

fn one_host() -> ApiError {
    bad_request("A request must name exactly one host.")
}

/// Closes the connection: such a client may also see the end of the request elsewhere.
fn bad_request(message: &str) -> ApiError {
    ApiError::new(Code::BadRequest, message).with_header(CONNECTION, HeaderValue::from_static("close"))
}
