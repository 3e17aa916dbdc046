//! A browser as far as web push is concerned: it decrypts by RFC 8188 and 8291
//! from the primitives, with other code than the server encrypts with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use tidings::protocol::PushNotice;
use web_push_native::p256::{PublicKey, SecretKey, ecdh};

use super::service::Received;

/// Salt, record size, length of the key's id, and the key (RFC 8188 §2.1).
const HEADER_BYTES: usize = 16 + 4 + 1 + 65;

/// Ends the only record (RFC 8188 §2).
const LAST_RECORD: u8 = 2;

pub struct Device {
    pub endpoint: String,
    key: SecretKey,
    auth: [u8; 16],
}

impl Device {
    /// One that takes pushes at this address.
    pub fn at(endpoint: String) -> Self {
        let mut random = [0; 48];
        getrandom::fill(&mut random).expect("random bytes");
        let key = SecretKey::from_slice(&random[..32]).expect("nearly every number is a key");
        Self { endpoint, key, auth: random[32..].try_into().expect("16 bytes") }
    }

    /// What `PushSubscription.toJSON()` gives.
    pub fn subscription(&self) -> Value {
        json!({
            "endpoint": self.endpoint,
            "expirationTime": null,
            "keys": { "p256dh": URL_SAFE_NO_PAD.encode(self.public_key()), "auth": URL_SAFE_NO_PAD.encode(self.auth) },
        })
    }

    fn public_key(&self) -> Vec<u8> {
        self.key.public_key().to_sec1_bytes_uncompressed()
    }

    /// What the service worker reads.
    pub fn read(&self, push: &Received) -> PushNotice {
        let text = self.decrypt(&push.body);
        assert!(text.len() < 3_000 && push.body.len() <= 4_096, "RFC 8030 §7.2");
        serde_json::from_slice(&text).expect("a notice")
    }

    pub fn decrypt(&self, body: &[u8]) -> Vec<u8> {
        let (header, record) = body.split_at(HEADER_BYTES);
        let (salt, server_key) = (&header[..16], &header[21..]);
        assert!(u32::from_be_bytes(header[16..20].try_into().unwrap()) as usize >= record.len());
        assert_eq!(header[20], 65);
        let server_point = PublicKey::from_sec1_bytes(server_key).expect("a point");
        let shared = ecdh::diffie_hellman(self.key.to_nonzero_scalar(), server_point.as_affine());
        let of_both = [b"WebPush: info\0", &*self.public_key(), server_key];
        let secret = expand::<32>(&extract(&self.auth, shared.raw_secret_bytes()), &of_both);
        let secret = extract(salt, &secret);
        let key = expand::<16>(&secret, &[b"Content-Encoding: aes128gcm\0"]);
        let nonce = expand::<12>(&secret, &[b"Content-Encoding: nonce\0"]);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).expect("16 bytes"));
        let mut record = record.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let text = key.open_in_place(nonce, Aad::empty(), &mut record).expect("for this device");
        let end = text.iter().rposition(|byte| *byte != 0).expect("a delimiter");
        assert_eq!(text[end], LAST_RECORD);
        text[..end].to_vec()
    }
}

trait Uncompressed {
    fn to_sec1_bytes_uncompressed(&self) -> Vec<u8>;
}

impl Uncompressed for PublicKey {
    fn to_sec1_bytes_uncompressed(&self) -> Vec<u8> {
        use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;
        self.to_encoded_point(false).as_bytes().to_vec()
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn extract(salt: &[u8], secret: &[u8]) -> Prk {
    Salt::new(HKDF_SHA256, salt).extract(secret)
}

fn expand<const N: usize>(secret: &Prk, info: &[&[u8]]) -> [u8; N] {
    let mut expanded = [0; N];
    secret.expand(info, Length(N)).expect("short").fill(&mut expanded).expect("as long as said");
    expanded
}

/// The claims of a push's signature, which must be by `public_key` (RFC 8292).
pub fn signed(push: &Received, public_key: &str) -> Value {
    let header = push.header("authorization");
    let (token, key) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    assert_eq!(key, public_key);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(key))
        .verify(message.as_bytes(), &decode(signature))
        .expect("signed with that key");
    let (kind, claims) = message.split_once('.').unwrap();
    let kind: Value = serde_json::from_slice(&decode(kind)).unwrap();
    assert_eq!(kind, json!({ "typ": "JWT", "alg": "ES256" }));
    serde_json::from_slice(&decode(claims)).unwrap()
}

#[test]
fn the_device_reads_the_example_of_rfc_8291() {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let device = Device {
        endpoint: String::new(),
        key: SecretKey::from_slice(&decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")).unwrap(),
        auth: decode("BTBZMqHH6r4Tts7J_aSIgg").try_into().unwrap(),
    };
    let body = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8\
        wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
    assert_eq!(device.decrypt(&decode(body)), b"When I grow up, I want to be a watermelon");
}
