use warp::http::header::{CONNECTION, HOST, HeaderValue};
use warp::http::{Request, Version};

use super::refusal::Refusal;
use crate::protocol::Code;

/// Whether a request names something of this server, and one host (RFC 9112
/// §3.2). The target is a path, be it by itself or in a whole URL: an authority,
/// as `CONNECT` has it, and `*` are not, and `warp` panics on a URI without a path.
pub fn check<B>(request: &Request<B>) -> Result<(), Refusal> {
    if !request.uri().path().starts_with('/') {
        return Err(bad_request("This server answers for paths, which begin with a slash."));
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), None) => Ok(()),
        // Before HTTP/1.1 there was none.
        (None, None) if request.version() < Version::HTTP_11 => Ok(()),
        _ => Err(bad_request("A request names one host.")),
    }
}

/// Whoever sends such a request may mean something else by its end, too.
fn bad_request(message: &str) -> Refusal {
    Refusal::new(Code::BadRequest, message).with_header(CONNECTION, HeaderValue::from_static("close"))
}
