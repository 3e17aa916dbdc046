use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Builder;

use super::{ConversationId, UserId};

const KEY_BYTES: usize = 32;

/// Bytes of a hash that make a name recognisable in a log.
const TAG_BYTES: usize = 8;

/// What derived ids are made with: without it nobody can tell an id from what
/// it was derived of, or the other way round.
#[derive(Clone)]
pub struct ServerKey([u8; KEY_BYTES]);

impl ServerKey {
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// A new one from the operating system's generator.
    ///
    /// # Panics
    /// When the system has no randomness to give: nothing safe can follow.
    pub fn generate() -> Self {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).expect("the operating system provides randomness");
        Self(bytes)
    }

    /// For the database.
    pub fn bytes(&self) -> [u8; KEY_BYTES] {
        self.0
    }

    /// The id of the direct conversation of two people, `low` not above `high`: a
    /// UUIDv8 (RFC 9562 §5.8), which tells neither who they are nor since when.
    pub fn direct_conversation(&self, low: UserId, high: UserId) -> ConversationId {
        let hash = self.hash("direct conversation", &[low.0.as_bytes(), high.0.as_bytes()]);
        let (id, _) = hash.split_first_chunk::<16>().expect("a hash has 32 bytes");
        ConversationId(Builder::from_custom_bytes(*id).into_uuid())
    }

    /// Stands for a name in a log, where the name itself may be a password that
    /// somebody typed into the wrong field.
    pub fn name_tag(&self, name_key: &str) -> String {
        let hash = self.hash("name in a log", &[name_key.as_bytes()]);
        hash[..TAG_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// HMAC-SHA-256 (RFC 2104). Parts have one length each, or are the last.
    fn hash(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_that_of_its_pair_and_its_key() {
        let (key, other) = (ServerKey::generate(), ServerKey::generate());
        let [ada, bob, eve] = [(); 3].map(|()| UserId::fresh());
        let id = key.direct_conversation(ada, bob);
        assert_eq!(key.direct_conversation(ada, bob), id);
        assert_eq!(id.0.get_version_num(), 8);
        for different in [
            key.direct_conversation(ada, eve),
            key.direct_conversation(bob, ada),
            key.direct_conversation(ada, ada),
            other.direct_conversation(ada, bob),
        ] {
            assert_ne!(different, id);
        }
        assert_eq!(format!("{key:?}"), "ServerKey(…)");
    }

    #[test]
    fn a_name_in_a_log_is_a_short_hash() {
        let key = ServerKey::generate();
        let tag = key.name_tag("ada");
        assert_eq!((tag.len(), tag == key.name_tag("bob")), (16, false));
        assert!(tag.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(key.name_tag("ada"), tag);
    }
}
