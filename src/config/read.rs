use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use tracing_subscriber::EnvFilter;

use super::Config;
use super::settings::{DEFAULT_LOG, Limits, documented};

const PREFIX: &str = "TIDINGS_";

/// A setting is wrong: one line that names it and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

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
    /// is as good as none.
    pub fn from_pairs(
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<String>), ConfigError> {
        let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let foreign = |wanted| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let database_url = foreign("DATABASE_URL").map(checked_database_url).transpose()?;
        let log = checked_log(foreign("RUST_LOG").unwrap_or(DEFAULT_LOG))?;
        let given: HashMap<String, String> = envy::prefixed(PREFIX)
            .from_iter(pairs)
            .map_err(|error| ConfigError(format!("the environment cannot be read: {error}")))?;
        let given = Given(given);
        let config = Self {
            listen: given.listen()?,
            data_dir: given.directory("DATA_DIR").unwrap_or_else(default_data_dir),
            database_url,
            postgres_bin: given.directory("POSTGRES_BIN"),
            origins: given.origins()?,
            faults: given.switch("FAULTS")?,
            log,
            log_json: given.switch("LOG_JSON")?,
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

/// The value is not shown: it may hold a password.
fn checked_database_url(text: &str) -> Result<String, ConfigError> {
    let wrong = |reason: String| {
        ConfigError(format!("DATABASE_URL must be like postgres://user:password@host/database{reason}"))
    };
    let text = text.trim();
    if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
        return Err(wrong(String::new()));
    }
    match PgConnectOptions::from_str(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(sqlx::Error::Configuration(reason)) => Err(wrong(format!(": {reason}"))),
        Err(_) => Err(wrong(String::new())),
    }
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

    fn switch(&self, name: &str) -> Result<bool, ConfigError> {
        match self.get(name) {
            None | Some("off" | "0" | "false") => Ok(false),
            Some("on" | "1" | "true") => Ok(true),
            Some(text) => Err(ConfigError(format!("{PREFIX}{name} must be on or off, not {}", shown(text)))),
        }
    }

    fn listen(&self) -> Result<SocketAddr, ConfigError> {
        let text = self.get("LISTEN").unwrap_or("127.0.0.1:8080");
        text.parse().map_err(|_| {
            ConfigError(format!(
                "{PREFIX}LISTEN must be an address and a port like 127.0.0.1:8080, not {}",
                shown(text)
            ))
        })
    }

    fn directory(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    fn origins(&self) -> Result<Vec<String>, ConfigError> {
        let texts =
            self.get("ORIGINS").unwrap_or_default().split(',').map(str::trim).filter(|text| !text.is_empty());
        texts
            .map(|text| {
                let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
                match host {
                    Some(host) if !host.is_empty() && !host.contains(['/', '*', ' ', '@']) => {
                        Ok(text.to_ascii_lowercase())
                    }
                    _ => Err(ConfigError(format!(
                        "{PREFIX}ORIGINS must list addresses like https://chat.example.org, not {}",
                        shown(text)
                    ))),
                }
            })
            .collect()
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
mod tests {
    use super::*;
    use crate::config::env_example;
    use crate::fuzz::Choices;

    fn read(pairs: &[(&str, &str)]) -> Result<(Config, Vec<String>), ConfigError> {
        Config::from_pairs(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn nothing_set_is_all_defaults() {
        let (config, warnings) = read(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!((config.text_max_chars, config.outbound_frames), (4_000, 256));
        assert_eq!(config.ping_interval.as_secs(), 25);
        assert!(warnings.is_empty() && config.database_url.is_none());
    }

    #[test]
    fn b33_a_wrong_value_is_one_line_that_names_it_and_the_range() {
        for setting in documented().into_iter().filter(|setting| setting.range.contains(" to ")) {
            let name = format!("{PREFIX}{}", setting.name);
            for wrong in ["many", "-1", "1.5", "1000000000000", "9e9", "99999999999999999999999"] {
                let error = read(&[(&name, wrong)]).expect_err(&name).to_string();
                assert!(error.contains(&name) && error.contains(&setting.range), "{error}");
                assert_eq!(error.lines().count(), 1);
            }
        }
    }

    #[test]
    fn b33_texts_are_checked_too() {
        for (name, wrong) in [
            ("TIDINGS_LISTEN", "8080"),
            ("TIDINGS_ORIGINS", "chat.example.org"),
            ("TIDINGS_ORIGINS", "https://*"),
            ("TIDINGS_FAULTS", "maybe\nso"),
            ("TIDINGS_LOG_JSON", "yes"),
        ] {
            let error = read(&[(name, wrong)]).expect_err(name).to_string();
            assert!(error.contains(name) && error.lines().count() == 1, "{error}");
        }
    }

    #[test]
    fn b33_a_wrong_database_url_is_named_without_its_password() {
        let url = |text| read(&[("DATABASE_URL", text)]).map(|(config, _)| config.database_url.unwrap());
        for wrong in [
            "mysql://ada:s3cret@localhost/x",
            "ada:s3cret@localhost/x",
            "postgres:ada:s3cret@localhost",
            "postgres://ada:s3cret@localhost:port/x",
            "postgres://ada:s3cret@local host/x",
            "postgres://ada:s3cret@localhost/x?sslmode=perhaps",
        ] {
            let error = url(wrong).expect_err(wrong).to_string();
            assert!(error.starts_with("DATABASE_URL must be like postgres://"), "{error}");
            assert!(!error.contains("s3cret") && error.lines().count() == 1, "{error}");
        }
        for right in
            ["postgresql://localhost/x", "postgres://ada:s3cret@%2Frun%2Fpostgresql/x?sslmode=require"]
        {
            assert_eq!(url(right).unwrap(), right);
        }
    }

    #[test]
    fn b33_a_wrong_filter_of_logs_is_refused() {
        let log = |text| read(&[("RUST_LOG", text)]).map(|(config, _)| config.log);
        for wrong in ["info,sqlx=loud", "tidings=debug=info", "[=info"] {
            let error = log(wrong).expect_err(wrong).to_string();
            assert!(
                error.starts_with("RUST_LOG must be like info,") && error.lines().count() == 1,
                "{error}"
            );
        }
        assert_eq!(log("warn,tidings=debug").unwrap(), "warn,tidings=debug");
        assert_eq!(log("").unwrap(), DEFAULT_LOG);
    }

    #[test]
    fn b33_unknown_names_are_warned_about() {
        let (_, warnings) = read(&[("TIDINGS_PORT", "1"), ("OTHER", "2"), ("TIDINGS_WRITERS", "3")]).unwrap();
        assert_eq!(warnings, ["TIDINGS_PORT is not a setting; see .env.example"]);
        let (_, warnings) = read(&[("TIDINGS_A\nB\u{1b}", "1")]).unwrap();
        assert_eq!(warnings, ["TIDINGS_A\\nB\\u{1b} is not a setting; see .env.example"]);
    }

    const VALUES: [&str; 8] = [
        "127.0.0.1:8080",
        "https://chat.example.org,http://localhost:8080",
        "on",
        "20",
        "65536",
        "4000",
        "1",
        "/srv/tidings",
    ];
    const TOKENS: [&str; 18] = [
        "0",
        "1",
        "9",
        "-",
        "+",
        ".",
        "e",
        ",",
        ":",
        "/",
        "https://",
        "*",
        "@",
        "[::1]:",
        "on",
        "off",
        "18446744073709551616",
        "\n",
    ];

    #[test]
    fn b33_any_setting_is_right_or_named_in_one_line() {
        let all = documented();
        bolero::check!().for_each(|bytes: &[u8]| {
            let mut choices = Choices::new(bytes);
            let mut given = HashMap::new();
            for _ in 0..=choices.below(4) {
                let setting = &all[choices.below(all.len())];
                given.insert(format!("{PREFIX}{}", setting.name), choices.text(&VALUES, &TOKENS));
            }
            if choices.byte() == 1 {
                given.insert(choices.text(&["TIDINGS_PORT"], &TOKENS), choices.text(&VALUES, &TOKENS));
            }
            match Config::from_pairs(given.clone()) {
                Ok((config, warnings)) => {
                    let is_line =
                        |warning: &String| !warning.contains(char::is_control) && warning.len() < 600;
                    assert!(warnings.iter().all(is_line), "{warnings:?}");
                    assert!(
                        config.reconnect_min <= config.reconnect_max
                            && config.history_page <= config.history_page_max
                    );
                    for setting in &all {
                        let Some(value) = given.get(&format!("{PREFIX}{}", setting.name)) else { continue };
                        let Some((min, max)) = setting.range.split_once(" to ") else { continue };
                        let range = min.parse::<u64>().unwrap()..=max.parse::<u64>().unwrap();
                        let is_right = value.is_empty()
                            || value.trim().parse().is_ok_and(|value| range.contains(&value));
                        assert!(is_right, "{}={value:?}", setting.name);
                    }
                }
                Err(error) => {
                    let line = error.to_string();
                    assert_eq!(line.lines().count(), 1, "{line:?}");
                    assert!(line.contains(PREFIX) && line.chars().count() < 400, "{line:?}");
                }
            }
        });
    }

    #[test]
    fn b33_any_dotenv_is_read_or_refused_in_one_line_without_secrets() {
        let seeds = [
            "TIDINGS_LISTEN=0.0.0.0:80\nDATABASE_URL='postgres://u:hunter2@db/t'\n# a comment\nexport RUST_LOG=\"info\"\n",
            "\u{feff}TIDINGS_DATA_DIR=${HOME}/x\r\nA=\\$B\n",
        ];
        let tokens = [
            "=",
            "\n",
            "'",
            "\"",
            "$",
            "${",
            "}",
            "\\",
            "#",
            "export ",
            " ",
            "\r\n",
            "\0",
            "DATABASE_URL=postgres://u:hunter2@db/t ",
        ];
        bolero::check!().for_each(|bytes: &[u8]| {
            let mut choices = Choices::new(bytes);
            let mut file = choices.text(&seeds, &tokens).into_bytes();
            if choices.byte() == 1 {
                file.extend(choices.bytes(4));
            }
            if let Err(error) = check_dotenv(&file) {
                let line = error.to_string();
                assert!(
                    line.starts_with(".env") && line.lines().count() == 1 && line.len() < 400,
                    "{line:?}"
                );
                assert!(!line.contains("hunter2"), "{line:?}");
            }
        });
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        let error = read(&[("TIDINGS_HISTORY_PAGE", "90"), ("TIDINGS_HISTORY_PAGE_MAX", "80")]);
        assert!(error.unwrap_err().to_string().contains("TIDINGS_HISTORY_PAGE must not be above"));
    }

    #[test]
    fn the_example_says_what_the_code_does() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example");
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(committed == env_example(), "print it again: cargo run --example env_example > .env.example");
    }
}
