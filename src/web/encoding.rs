/// How a file was compressed when it was built, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    pub const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// Its name in `Content-Encoding` (RFC 9110 §8.4.1, RFC 7932).
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The suffix of the compressed file's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    /// Whether `Accept-Encoding` allows it (RFC 9110 §12.5.3): listed by name,
    /// and not with a weight of zero.
    pub fn is_accepted(self, accept: &str) -> bool {
        accept.split(',').any(|offer| {
            let (coding, weight) = offer.split_once(';').unwrap_or((offer, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
            coding.trim().eq_ignore_ascii_case(self.name()) && weight.is_some_and(|weight| weight > 0.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    #[test]
    fn what_is_not_named_or_has_no_weight_is_never_sent() {
        let tokens = [
            ",", ";", "q=", "Q=", "=", "0", "0.0", "1", ".", "-1", "nan", "inf", "br", "gzip", "*", " ",
            "\t", "x",
        ];
        bolero::check!().for_each(|bytes: &[u8]| {
            let accept = Choices::new(bytes)
                .text(&["gzip, deflate, br;q=0.5, zstd", "br;q=0", "*", "identity;q=1, *;q=0"], &tokens);
            for encoding in Encoding::ALL.into_iter().filter(|encoding| encoding.is_accepted(&accept)) {
                let is_offered = |offer: &str| {
                    let words: Vec<_> =
                        offer.split(';').map(|word| word.trim().to_ascii_lowercase()).collect();
                    words[0] == encoding.name()
                        && words.get(1).is_none_or(|weight| {
                            !weight.is_empty() && weight.trim_matches(['0', '.']) != "q="
                        })
                };
                assert!(accept.split(',').any(is_offered), "{accept}");
            }
            assert!(Encoding::Brotli.is_accepted(&format!("{accept}, br")), "{accept}");
        });
    }

    #[test]
    fn only_what_is_accepted_is_sent() {
        assert!(Encoding::Brotli.is_accepted("gzip, deflate, br, zstd"));
        assert!(Encoding::Gzip.is_accepted("GZIP;q=0.5"));
        assert!(!Encoding::Brotli.is_accepted("br;q=0, gzip"));
        assert!(!Encoding::Brotli.is_accepted("brotli"));
        assert!(!Encoding::Gzip.is_accepted(""));
    }
}
