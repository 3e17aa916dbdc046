use tidings::protocol::{Code, ServerFrame};

use crate::message::{Name, UUID_LEN, UuidText};

/// What a server says, as far as it is judged.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    Stored {
        name: Name,
        seq: u64,
    },
    Message {
        name: Name,
        seq: u64,
    },
    Synced,
    Presence {
        version: u64,
        count: u32,
        joins: Vec<String>,
        leaves: Vec<String>,
        whole: bool,
    },
    Refused(Code),
    Resync,
    /// No frame of the protocol.
    Unreadable,
    Other,
}

const STORED: &[u8] = br#"{"type":"stored","client_id":""#;
const EVENT: &[u8] = br#"{"type":"event","conversation":""#;
const SEQ: &[u8] = br#"","seq":"#;
const SENDER: &[u8] = br#","sender":""#;
const CONVERSATION: &[u8] = br#"","conversation":""#;
const CLIENT_ID: &[u8] = br#"","client_id":""#;

impl Said {
    /// The two frames that come by the million are read by their places; any
    /// other order of fields, and everything else, by the types of the protocol.
    pub fn read(text: &[u8]) -> Self {
        stored(text).or_else(|| message(text)).unwrap_or_else(|| slowly(text))
    }

    /// Under which name this makes a run void, if it does.
    pub fn refusal(&self) -> Option<String> {
        match self {
            Self::Refused(code) => Some(format!("{code:?}")),
            Self::Resync | Self::Unreadable => Some(format!("{self:?}")),
            _ => None,
        }
    }
}

fn stored(text: &[u8]) -> Option<Said> {
    let (client_id, rest) = uuid(text.strip_prefix(STORED)?)?;
    let (_, rest) = uuid(rest.strip_prefix(CONVERSATION)?)?;
    let (seq, _) = number(rest.strip_prefix(SEQ)?);
    Some(Said::Stored { name: Name::read(client_id), seq })
}

fn message(text: &[u8]) -> Option<Said> {
    let (_, rest) = uuid(text.strip_prefix(EVENT)?)?;
    let (seq, rest) = number(rest.strip_prefix(SEQ)?);
    let (_, rest) = uuid(rest.strip_prefix(SENDER)?)?;
    let (client_id, _) = uuid(rest.strip_prefix(CLIENT_ID)?)?;
    Some(Said::Message { name: Name::read(client_id), seq })
}

fn uuid(text: &[u8]) -> Option<(&UuidText, &[u8])> {
    text.split_first_chunk::<UUID_LEN>()
}

fn number(text: &[u8]) -> (u64, &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')), rest)
}

fn slowly(text: &[u8]) -> Said {
    let name = |id: &tidings::domain::ClientId| {
        let mut text = [0; UUID_LEN];
        id.0.hyphenated().encode_lower(&mut text);
        Name::read(&text)
    };
    match serde_json::from_slice(text) {
        Ok(ServerFrame::Stored(stored)) => Said::Stored { name: name(&stored.client_id), seq: stored.seq },
        Ok(ServerFrame::Event(event)) => Said::Message { name: name(&event.client_id), seq: event.seq },
        Ok(ServerFrame::Synced(_)) => Said::Synced,
        Ok(ServerFrame::Resync(_)) => Said::Resync,
        Ok(ServerFrame::Error(error)) => Said::Refused(error.error.code),
        Ok(ServerFrame::Presence(presence)) => Said::Presence {
            version: presence.version,
            count: presence.count,
            joins: presence.online.iter().map(|user| user.id.to_string()).collect(),
            leaves: Vec::new(),
            whole: true,
        },
        Ok(ServerFrame::PresenceDiff(difference)) => Said::Presence {
            version: difference.version,
            count: difference.count,
            joins: difference.joins.iter().map(|user| user.id.to_string()).collect(),
            leaves: difference.leaves.iter().map(ToString::to_string).collect(),
            whole: false,
        },
        Ok(_) => Said::Other,
        Err(_) => Said::Unreadable,
    }
}
