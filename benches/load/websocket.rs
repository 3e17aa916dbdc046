//! RFC 6455 as far as both ends of the measuring need it: unfragmented frames.

pub const TEXT: u8 = 0x81;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

const MASKED: u8 = 0x80;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;
const MASK_LEN: usize = 4;

/// Appends a client's frame. The mask is zero, so that the payload can be
/// changed in place; the server takes it off all the same.
pub fn put_masked(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    put_head(out, opcode, payload.len(), MASKED);
    out.extend([0; MASK_LEN]);
    out.extend_from_slice(payload);
}

/// Appends the head of a server's frame.
pub fn put_plain_head(out: &mut Vec<u8>, opcode: u8, length: usize) {
    put_head(out, opcode, length, 0);
}

fn put_head(out: &mut Vec<u8>, opcode: u8, length: usize, masked: u8) {
    out.push(opcode);
    match u16::try_from(length) {
        Ok(short @ 0..126) => out.push(masked | u8::try_from(short).expect("below 126")),
        Ok(middle) => {
            out.push(masked | LENGTH_16);
            out.extend(middle.to_be_bytes());
        }
        Err(_) => {
            out.push(masked | LENGTH_64);
            out.extend((length as u64).to_be_bytes());
        }
    }
}

/// The first whole frame: its opcode, where its mask is, if any, and where its
/// payload begins and ends.
pub struct Frame {
    pub opcode: u8,
    mask: Option<[u8; MASK_LEN]>,
    pub start: usize,
    pub end: usize,
}

impl Frame {
    /// None until it is there as a whole.
    pub fn first(bytes: &[u8]) -> Option<Self> {
        let (opcode, second) = (*bytes.first()?, *bytes.get(1)?);
        let (length, head) = match second & !MASKED {
            LENGTH_16 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
            LENGTH_64 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
            short => (u64::from(short), 2),
        };
        let mask = match second & MASKED {
            0 => None,
            _ => Some(*bytes.get(head..)?.first_chunk()?),
        };
        let start = head + if mask.is_some() { MASK_LEN } else { 0 };
        let end = start + usize::try_from(length).ok()?;
        (bytes.len() >= end).then_some(Self { opcode, mask, start, end })
    }

    /// Takes the mask off the payload.
    pub fn unmask(&self, bytes: &mut [u8]) {
        let Some(mask) = self.mask else { return };
        let wide = u64::from_ne_bytes([mask, mask].concat().try_into().expect("twice four"));
        let (words, rest) = bytes[self.start..self.end].as_chunks_mut::<8>();
        for word in words {
            *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
        }
        rest.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    }
}
