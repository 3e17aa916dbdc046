use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tracing_subscriber::EnvFilter;
use web_push_native::p256::SecretKey;

use super::push::DEFAULT_PUSH_HOSTS;
use super::settings::{DEFAULT_LOG, DEFAULT_METRICS_LISTEN, Limits, documented};
use super::{
    Config, ConfigError, MetricsListen, Origin, PushService, PushSettings, TrustedProxies, database_url,
};

const PREFIX: &str = "TIDINGS_";

/// Adds what `.env` in the working directory says, if there is one, to the
/// environment; what is set wins.
pub fn read_dotenv() -> Result<(), ConfigError> {
    // Not `dotenv()`: that looks in all folders above, too.
    match std::fs::read(".env") {
        Ok(file) => {
            check_dotenv(&file)?;
            dotenvy::from_read(&*file).map_err(|error| unreadable(&error.to_string()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unreadable(&error.to_string())),
    }
}

/// Whether all of it can be set: setting U+0000 would panic. What is wrong is
/// told by its place, not quoted: it may be a password.
fn check_dotenv(file: &[u8]) -> Result<(), ConfigError> {
    let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
    for (place, pair) in (1..).zip(dotenvy::from_read_iter(file)) {
        match pair {
            Ok((name, value)) if !name.contains('\0') && !value.contains('\0') => {}
            Ok(_) => return Err(unreadable(&format!("setting {place} in it contains U+0000"))),
            Err(dotenvy::Error::Io(error)) => return Err(unreadable(&error.to_string())),
            Err(_) => return Err(unreadable(&format!("setting {place} in it is not NAME=value"))),
        }
    }
    Ok(())
}

fn unreadable(why: &str) -> ConfigError {
    ConfigError(format!(".env cannot be read: {why}"))
}

impl Config {
    /// From the environment, with a warning for each unknown `TIDINGS_…` name.
    pub fn from_env() -> Result<(Self, Vec<String>), ConfigError> {
        // `vars` would panic on what is not Unicode; such a value is refused if it is ours.
        let pairs = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
        Self::from_pairs(pairs)
    }

    /// From names and values, as [`from_env`](Self::from_env). An empty value
    /// is as good as none, but for an address to listen on: that is left out then.
    pub fn from_pairs(
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<String>), ConfigError> {
        let (empty, pairs): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(_, value)| value.is_empty());
        let is_empty = |wanted| empty.iter().any(|(name, _)| name.strip_prefix(PREFIX) == Some(wanted));
        let foreign = |wanted| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let database_url = foreign("DATABASE_URL").map(checked_database_url).transpose()?;
        let log = checked_log(foreign("RUST_LOG").unwrap_or(DEFAULT_LOG))?;
        let given: HashMap<String, String> = envy::prefixed(PREFIX)
            .from_iter(pairs)
            .map_err(|error| ConfigError(format!("the environment cannot be read: {error}")))?;
        let given = Given(given);
        let config = Self {
            listen: given.listen()?,
            metrics_listen: given.metrics_listen(is_empty("METRICS_LISTEN"))?,
            data_dir: given.directory("DATA_DIR").unwrap_or_else(default_data_dir),
            database_url,
            postgres_bin: given.directory("POSTGRES_BIN"),
            origins: given.origins()?,
            trusted_proxies: given.trusted_proxies()?,
            push: given.push()?,
            faults: given.switch("FAULTS", false)?,
            log,
            log_json: given.switch("LOG_JSON", false)?,
            limits: Limits::read(|name, default, min, max| given.number(name, default, min, max))?,
        };
        config.check()?;
        Ok((config, given.unknown()))
    }

    /// What two settings together can get wrong.
    fn check(&self) -> Result<(), ConfigError> {
        let ordered = [
            (self.reconnect_min <= self.reconnect_max, "RECONNECT_MIN_MS", "RECONNECT_MAX_MS"),
            (self.history_page <= self.history_page_max, "HISTORY_PAGE", "HISTORY_PAGE_MAX"),
            // A frame is JSON: a character takes up to six bytes, and there is more in it.
            (
                self.text_max_chars * 6 < self.frame_max_bytes,
                "TEXT_MAX_CHARS (6 bytes each)",
                "FRAME_MAX_BYTES",
            ),
            (
                self.frames_per_second == 0 || self.sends_per_second <= self.frames_per_second,
                "SENDS_PER_SECOND",
                "FRAMES_PER_SECOND",
            ),
            (self.frame_max_bytes <= self.frame_bytes_burst as usize, "FRAME_MAX_BYTES", "FRAME_BYTES_BURST"),
            (self.shutdown_spread <= self.shutdown_timeout, "SHUTDOWN_SPREAD_MS", "SHUTDOWN_TIMEOUT_MS"),
        ];
        match ordered.into_iter().find(|(in_order, ..)| !in_order) {
            Some((_, low, high)) => {
                Err(ConfigError(format!("{PREFIX}{low} must not be above {PREFIX}{high}")))
            }
            None => Ok(()),
        }
    }
}

/// As the library for PostgreSQL reads it. The value is not shown: it may hold a
/// password.
fn checked_database_url(text: &str) -> Result<String, ConfigError> {
    database_url::canonical(text.trim()).map_err(|reason| {
        ConfigError(format!("DATABASE_URL must be like postgres://user:password@host/database: {reason}"))
    })
}

fn checked_log(text: &str) -> Result<String, ConfigError> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(reason) => {
            Err(ConfigError(format!("RUST_LOG must be like {DEFAULT_LOG}, not {}: {reason}", shown(text))))
        }
    }
}

/// What the environment gives, by name in lower case without the prefix.
struct Given(HashMap<String, String>);

impl Given {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_ascii_lowercase()).map(|value| value.trim())
    }

    fn number(&self, name: &str, default: u64, min: u64, max: u64) -> Result<u64, ConfigError> {
        let Some(text) = self.get(name) else { return Ok(default) };
        text.parse().ok().filter(|value| (min..=max).contains(value)).ok_or_else(|| {
            ConfigError(format!(
                "{PREFIX}{name} must be a whole number from {min} to {max}, not {}",
                shown(text)
            ))
        })
    }

    fn switch(&self, name: &str, default: bool) -> Result<bool, ConfigError> {
        match self.get(name) {
            None => Ok(default),
            Some("off" | "0" | "false") => Ok(false),
            Some("on" | "1" | "true") => Ok(true),
            Some(text) => Err(ConfigError(format!("{PREFIX}{name} must be on or off, not {}", shown(text)))),
        }
    }

    fn listen(&self) -> Result<SocketAddr, ConfigError> {
        self.socket_address("LISTEN", "127.0.0.1:8080")
    }

    fn metrics_listen(&self, is_empty: bool) -> Result<Option<MetricsListen>, ConfigError> {
        let given = self.get("METRICS_LISTEN");
        if is_empty || matches!(given, Some("" | "off")) {
            return Ok(None);
        }
        let address = self.socket_address("METRICS_LISTEN", DEFAULT_METRICS_LISTEN)?;
        Ok(Some(MetricsListen { address, is_set: given.is_some() }))
    }

    fn socket_address(&self, name: &str, default: &str) -> Result<SocketAddr, ConfigError> {
        let text = self.get(name).unwrap_or(default);
        text.parse().map_err(|_| {
            ConfigError(format!(
                "{PREFIX}{name} must be an address and a port like {default}, not {}",
                shown(text)
            ))
        })
    }

    fn directory(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// What is listed, separated by commas.
    fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.get(name).unwrap_or_default().split(',').map(str::trim).filter(|text| !text.is_empty())
    }

    fn origins(&self) -> Result<Vec<Origin>, ConfigError> {
        let parse = |text| {
            Origin::parse(text).ok_or_else(|| {
                ConfigError(format!(
                    "{PREFIX}ORIGINS must list addresses like https://chat.example.org, not {}",
                    shown(text)
                ))
            })
        };
        self.list("ORIGINS").map(parse).collect()
    }

    fn trusted_proxies(&self) -> Result<TrustedProxies, ConfigError> {
        TrustedProxies::parse(self.list("TRUSTED_PROXIES")).map_err(|text| {
            ConfigError(format!(
                "{PREFIX}TRUSTED_PROXIES must list networks like 127.0.0.1 or 10.0.0.0/8, not {}",
                shown(text)
            ))
        })
    }

    fn push(&self) -> Result<PushSettings, ConfigError> {
        Ok(PushSettings {
            on: self.switch("PUSH", true)?,
            services: self.push_services()?,
            contact: self.push_contact()?,
            key: self.vapid_key()?,
        })
    }

    fn push_services(&self) -> Result<Vec<PushService>, ConfigError> {
        let hosts = self.get("PUSH_HOSTS").unwrap_or(DEFAULT_PUSH_HOSTS).split(',').map(str::trim);
        hosts
            .filter(|host| !host.is_empty())
            .map(|host| {
                PushService::parse(host).ok_or_else(|| {
                    ConfigError(format!(
                        "{PREFIX}PUSH_HOSTS must list hosts like *.push.apple.com, not {}",
                        shown(host)
                    ))
                })
            })
            .collect()
    }

    fn push_contact(&self) -> Result<Option<String>, ConfigError> {
        let Some(text) = self.get("PUSH_CONTACT") else { return Ok(None) };
        let rest = text.strip_prefix("mailto:").or_else(|| text.strip_prefix("https://"));
        match rest {
            Some(rest) if !rest.is_empty() && text.chars().all(|c| c.is_ascii_graphic()) => {
                Ok(Some(text.to_owned()))
            }
            _ => Err(ConfigError(format!(
                "{PREFIX}PUSH_CONTACT must be like mailto:ada@example.org or https://example.org, not {}",
                shown(text)
            ))),
        }
    }

    /// The value is not shown.
    fn vapid_key(&self) -> Result<Option<SecretKey>, ConfigError> {
        let Some(text) = self.get("VAPID_PRIVATE_KEY") else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let key = bytes.and_then(|bytes| SecretKey::from_slice(&bytes).ok()).ok_or_else(|| {
            ConfigError(format!("{PREFIX}VAPID_PRIVATE_KEY must be 32 bytes in base64url: a key on P-256"))
        })?;
        Ok(Some(key))
    }

    fn unknown(&self) -> Vec<String> {
        let known: Vec<String> =
            documented().iter().map(|setting| setting.name.to_ascii_lowercase()).collect();
        let mut unknown: Vec<String> = self
            .0
            .keys()
            .filter(|name| !known.contains(name))
            .map(|name| {
                // It is of anybody's making: one line, not too long.
                let name: String =
                    name.to_ascii_uppercase().chars().take(40).flat_map(char::escape_debug).collect();
                format!("{PREFIX}{name} is not a setting; see .env.example")
            })
            .collect();
        unknown.sort();
        unknown
    }
}

/// A wrong value in an error: one line, not too long.
fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

fn default_data_dir() -> PathBuf {
    if nix::unistd::geteuid().is_root() {
        // The private PostgreSQL runs as another user, who cannot look into root's home.
        return "/var/lib/tidings".into();
    }
    let home = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    home("XDG_DATA_HOME")
        .or_else(|| home("HOME").map(|home| home.join(".local/share")))
        .unwrap_or_default()
        .join("tidings")
}

#[cfg(test)]
mod tests;
