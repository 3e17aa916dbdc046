use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Uri;
use web_push_native::p256::PublicKey;

use super::service::Service;
use crate::database::PushSubscription;
use crate::protocol::{Code, Problem, Subscription};

const ENDPOINT_MAX_CHARS: usize = 1_024;

/// Parses a subscription. Errors with the invalid field.
pub fn parse(services: &[Arc<Service>], given: &Subscription) -> Result<PushSubscription, Problem> {
    if resolve(services, &given.endpoint).is_none() {
        let rule = format!(
            "must be an https address of a known push service, of at most {ENDPOINT_MAX_CHARS} characters"
        );
        return Err(wrong("endpoint", &rule));
    }
    let p256dh = bytes(&given.keys.p256dh)
        .filter(|point| PublicKey::from_sec1_bytes(point).is_ok())
        .ok_or_else(|| wrong("keys.p256dh", "must be an uncompressed point on P-256 in base64url"))?;
    let auth = bytes(&given.keys.auth).ok_or_else(|| wrong("keys.auth", "must be 16 bytes in base64url"))?;
    Ok(PushSubscription { endpoint: given.endpoint.clone(), p256dh, auth })
}

/// Returns the address and its service, or `None` if the server may not send there.
/// It uses the same parser as the sending client, so that both agree about where it
/// leads.
pub fn resolve(services: &[Arc<Service>], endpoint: &str) -> Option<(Uri, Arc<Service>)> {
    // The parser silently drops a fragment, and takes any UTF-8 for a path.
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'@' | b'\\');
    if endpoint.len() > ENDPOINT_MAX_CHARS || !endpoint.bytes().all(is_plain) {
        return None;
    }
    let uri: Uri = endpoint.parse().ok()?;
    let service = services.iter().find(|service| service.setting.has(&uri))?;
    Some((uri, service.clone()))
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    // The length first, so that a long text is not decoded.
    if text.len() > N.div_ceil(3) * 4 {
        return None;
    }
    // Browsers send no padding, other programs may.
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?.try_into().ok()
}

fn wrong(field: &str, rule: &str) -> Problem {
    Problem::new(Code::InvalidField, format!("`{field}` {rule}.")).field(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PushService;
    use crate::fuzz::Choices;
    use crate::protocol::SubscriptionKeys;

    // Of the example in RFC 8291 §5.
    const ENDPOINT: &str = "https://fcm.googleapis.com/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV";
    const P256DH: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    fn services(hosts: &[&str]) -> Vec<Arc<Service>> {
        hosts.iter().map(|host| Arc::new(Service::new(PushService::parse(host).unwrap()))).collect()
    }

    fn field(endpoint: &str, p256dh: &str, auth: &str) -> Option<String> {
        let services = services(&["fcm.googleapis.com"]);
        let keys = SubscriptionKeys { p256dh: p256dh.into(), auth: auth.into() };
        match parse(&services, &Subscription { endpoint: endpoint.into(), keys }) {
            Ok(subscription) => {
                assert_eq!((subscription.p256dh[0], subscription.auth[0]), (4, 5));
                None
            }
            Err(problem) => problem.field,
        }
    }

    #[test]
    fn b34_a_subscription_is_right_or_its_field_is_named() {
        assert_eq!(field(ENDPOINT, P256DH, AUTH), None);
        assert_eq!(field(ENDPOINT, &format!("{P256DH}="), &format!("{AUTH}==")), None);
        let long = format!("https://fcm.googleapis.com/{}", "x".repeat(1_000));
        for endpoint in [
            "",
            "x",
            "http://fcm.googleapis.com/x",
            "https://127.0.0.1/x",
            "https://[::1]:8080/x",
            "https://169.254.169.254/latest/meta-data",
            "https://fcm.googleapis.com.evil.example/x",
            "https://fcm.googleapis.com@evil.example/x",
            "https://evil.example#@fcm.googleapis.com/x",
            "https://evil.example\\@fcm.googleapis.com/x",
            "https://fcm.googleapis.com:22/x",
            "ftp://fcm.googleapis.com/x",
            "https://fcm.googleapis.com/a b",
            "https://fcm.googleapis.com/\r\nHost: evil",
            "https://fcm.googleapis.com/\u{e9}\u{202e}",
            &long,
        ] {
            assert_eq!(field(endpoint, P256DH, AUTH).as_deref(), Some("endpoint"), "{endpoint}");
        }
        let zero = "A".repeat(87);
        // Compressed, not on the curve, too long, nothing.
        let off_curve = format!("{}AAA", &P256DH[..84]);
        for point in
            ["AiVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx", &off_curve, &zero, &"B".repeat(9_999), ""]
        {
            assert_eq!(field(ENDPOINT, point, AUTH).as_deref(), Some("keys.p256dh"), "{point:.99}");
        }
        for auth in ["", "BTBZMqHH6r4Tts7J_aSI", "BTBZMqHH6r4Tts7J_aSIggAA", "not base64url!!!!!!!!!"] {
            assert_eq!(field(ENDPOINT, P256DH, auth).as_deref(), Some("keys.auth"), "{auth}");
        }
    }

    #[test]
    fn b34_no_endpoint_leads_anywhere_else() {
        let seeds = [ENDPOINT, "https://wns2-par02p.notify.windows.com/w/?token=AwYAA%3d"];
        let tokens =
            ["@", "#", "\\", "/", "//", ":", ".", "?", "evil.example", "127.0.0.1", "[::1]", "%2e", "http:"];
        let services = services(&["fcm.googleapis.com", "*.notify.windows.com"]);
        bolero::check!().for_each(|bytes: &[u8]| {
            let text = Choices::new(bytes).text(&seeds, &tokens);
            if let Some((uri, _)) = resolve(&services, &text) {
                // To what both this parser and a plain reading of the text take for its host.
                let rest = text.get(8..).expect("a scheme");
                let plain = rest.split(['/', '?']).next().expect("a first part").to_ascii_lowercase();
                let plain = plain.strip_suffix(":443").unwrap_or(&plain);
                assert_eq!(uri.host().map(str::to_ascii_lowercase).as_deref(), Some(plain), "{text}");
                assert!(plain == "fcm.googleapis.com" || plain.ends_with(".notify.windows.com"), "{text}");
            }
        });
    }
}
