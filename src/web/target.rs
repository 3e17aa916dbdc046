use warp::http::Request;
use warp::http::header::{CONNECTION, HeaderValue};

use super::refusal::Refusal;
use crate::protocol::Code;

/// Whether a request names something of this server (RFC 9112 §3.2): a path, be
/// it by itself or in a whole URL. An authority, as `CONNECT` has it, and `*` do
/// not; `warp` panics on a URI without a path.
pub fn check<B>(request: &Request<B>) -> Result<(), Refusal> {
    if request.uri().path().starts_with('/') {
        Ok(())
    } else {
        Err(bad_request("This server answers for paths, which begin with a slash."))
    }
}

/// Whoever sends such a request may mean something else by its end, too.
fn bad_request(message: &str) -> Refusal {
    Refusal::new(Code::BadRequest, message).with_header(CONNECTION, HeaderValue::from_static("close"))
}
