//! The one frame that is sent by the million, and the names it carries.

use super::websocket::{TEXT, put_masked};

/// A UUID as text.
pub const UUID_LEN: usize = 36;

pub type UuidText = [u8; UUID_LEN];

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// `send` of one sender in one conversation, whole but for the `client_id`.
pub struct Template {
    frame: Vec<u8>,
    client_id: usize,
    sender: u32,
}

/// A `client_id` says who has sent it and which of that sender's it is. It is a
/// UUIDv7: the time, then 24 bits of sender, then 48 of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    pub sender: u32,
    pub number: u64,
}

impl Template {
    pub fn new(sender: u32, conversation: &str, body: &str) -> Self {
        let before = br#"{"type":"send","client_id":""#;
        let mut payload = before.to_vec();
        payload.extend([b'-'; UUID_LEN]);
        payload.extend(
            format!(r#"","conversation":"{conversation}","kind":"message","body":"{body}"}}"#).bytes(),
        );
        let mut frame = Vec::new();
        put_masked(&mut frame, TEXT, &payload);
        let client_id = frame.len() - payload.len() + before.len();
        Self { frame, client_id, sender }
    }

    /// Appends the frame of this number.
    pub fn put(&self, out: &mut Vec<u8>, millis: u64, number: u64) {
        let start = out.len();
        out.extend_from_slice(&self.frame);
        let at = start + self.client_id;
        let name = Name { sender: self.sender, number };
        name.write(millis, out[at..].first_chunk_mut().expect("it is in the frame"));
    }
}

impl Name {
    fn write(self, millis: u64, text: &mut UuidText) {
        write_hex(&mut text[0..8], millis >> 16);
        write_hex(&mut text[9..13], millis);
        write_hex(&mut text[14..18], 0x7000 | u64::from(self.sender >> 12));
        write_hex(&mut text[19..23], 0x8000 | u64::from(self.sender & 0xfff));
        write_hex(&mut text[24..36], self.number);
    }

    pub fn read(text: &UuidText) -> Self {
        let (high, low) = (read_hex(&text[15..18]), read_hex(&text[20..23]));
        let sender = u32::try_from(high << 12 | low).expect("24 bits");
        Self { sender, number: read_hex(&text[24..36]) }
    }
}

/// The lowest digits.
fn write_hex(text: &mut [u8], value: u64) {
    let mut rest = value;
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[(rest & 0xf) as usize];
        rest >>= 4;
    }
}

pub fn read_hex(text: &[u8]) -> u64 {
    let value = |digit: &u8| match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => 0,
    };
    text.iter().fold(0, |sum, digit| sum << 4 | u64::from(value(digit)))
}
