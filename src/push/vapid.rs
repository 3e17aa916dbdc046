use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Uri;
use serde_json::json;
use web_push_native::p256::SecretKey;
use web_push_native::p256::ecdsa::signature::Signer;
use web_push_native::p256::ecdsa::{Signature, SigningKey};

use crate::database::VapidKey;

/// How long a signature holds; a push service refuses one of over 24 hours.
const VALID: Duration = Duration::from_secs(12 * 60 * 60);

/// Who this server is to push services (RFC 8292): browsers subscribe to its
/// key, and what is not signed with it does not reach them.
pub struct Vapid {
    key: SigningKey,
    public_key: String,
    contact: Option<String>,
}

impl Vapid {
    pub fn new(key: &SecretKey, contact: Option<String>) -> Self {
        let key = SigningKey::from(key);
        let point = key.verifying_key().to_encoded_point(false);
        Self { public_key: URL_SAFE_NO_PAD.encode(point), key, contact }
    }

    /// In base64url, as a browser wants it for `applicationServerKey`.
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// Whether it says whom to reach: some services insist on it.
    pub fn has_contact(&self) -> bool {
        self.contact.is_some()
    }

    /// The `Authorization` of a push to `endpoint`, at `now`.
    pub fn authorization(&self, endpoint: &Uri, now: SystemTime) -> String {
        let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let expires = (now + VALID).duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut claims = json!({ "aud": origin(endpoint), "exp": expires });
        if let Some(contact) = &self.contact {
            claims["sub"] = json!(contact);
        }
        let signed = format!("{}.{}", encode(json!({ "typ": "JWT", "alg": "ES256" })), encode(claims));
        let signature: Signature = self.key.sign(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.to_bytes());
        format!("vapid t={signed}.{signature}, k={}", self.public_key)
    }
}

/// A key at random, for a database that keeps none yet.
pub fn generate_key() -> Result<VapidKey, getrandom::Error> {
    loop {
        let mut key = VapidKey::default();
        getrandom::fill(&mut key)?;
        // All but 2^-32 of them are keys.
        if SecretKey::from_slice(&key).is_ok() {
            return Ok(key);
        }
    }
}

/// RFC 6454 §6.2: without the scheme's own port.
fn origin(endpoint: &Uri) -> String {
    let (scheme, host) = (endpoint.scheme_str().unwrap_or("https"), endpoint.host().unwrap_or_default());
    let host = host.to_ascii_lowercase();
    match endpoint.port_u16() {
        Some(port) if (scheme, port) != ("https", 443) => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_signed_for_its_service() {
        let key = SecretKey::from_slice(&generate_key().unwrap()).unwrap();
        let vapid = Vapid::new(&key, Some("mailto:ada@example.org".into()));
        assert_eq!(vapid.public_key().len(), 87);
        let endpoint = "https://Push.example.org:443/a/b?c".parse().unwrap();
        let header = vapid.authorization(&endpoint, UNIX_EPOCH + Duration::from_secs(1_000));
        let token = header.strip_prefix("vapid t=").unwrap().split(',').next().unwrap();
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&claims).unwrap(),
            json!({ "aud": "https://push.example.org", "exp": 44_200, "sub": "mailto:ada@example.org" })
        );
        assert!(header.ends_with(&format!(", k={}", vapid.public_key())));
    }

    #[test]
    fn another_port_is_another_origin() {
        assert_eq!(origin(&"http://127.0.0.1:8081/x".parse().unwrap()), "http://127.0.0.1:8081");
        assert_eq!(origin(&"https://a.example:8443/x".parse().unwrap()), "https://a.example:8443");
    }
}
