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
        ("TIDINGS_ORIGINS", "https://chat.example.org/talk"),
        ("TIDINGS_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TIDINGS_TRUSTED_PROXIES", "proxy.example.org"),
        ("TIDINGS_METRICS_LISTEN", "9464"),
        ("TIDINGS_FAULTS", "maybe\nso"),
        ("TIDINGS_LOG_JSON", "yes"),
        ("TIDINGS_PUSH", "perhaps"),
        ("TIDINGS_PUSH_HOSTS", "https://push.example.org/"),
        ("TIDINGS_PUSH_HOSTS", "http://192.0.2.1:80"),
        ("TIDINGS_PUSH_CONTACT", "ada@example.org"),
        ("TIDINGS_PUSH_CONTACT", "https://"),
    ] {
        let error = read(&[(name, wrong)]).expect_err(name).to_string();
        assert!(error.contains(name) && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn metrics_have_a_port_of_their_own_unless_it_is_empty() {
    let listen = |pairs: &[(&str, &str)]| read(pairs).unwrap().0.metrics_listen;
    let at = |text: &str, is_set| Some(MetricsListen { address: text.parse().unwrap(), is_set });
    assert_eq!(listen(&[]), at(DEFAULT_METRICS_LISTEN, false));
    assert_eq!(listen(&[("TIDINGS_METRICS_LISTEN", "127.0.0.1:9464")]), at("127.0.0.1:9464", true));
    for off in ["", " ", "off"] {
        assert_eq!(listen(&[("TIDINGS_METRICS_LISTEN", off)]), None, "{off:?}");
    }
}

#[test]
fn origins_are_kept_as_browsers_send_them() {
    let (config, _) =
        read(&[("TIDINGS_ORIGINS", "https://Chat.Example:443/, https://bücher.example,")]).unwrap();
    let origins: Vec<_> = config.origins.iter().map(Origin::as_str).collect();
    assert_eq!(origins, ["https://chat.example", "https://xn--bcher-kva.example"]);
}

#[test]
fn b33_a_wrong_key_is_named_and_not_shown() {
    let key = |text: &str| read(&[("TIDINGS_VAPID_PRIVATE_KEY", text)]).map(|(config, _)| config.push.key);
    // Too short, too long, nothing, above the order of the curve, no base64url.
    for wrong in [&"s".repeat(42), &"s".repeat(44), &"A".repeat(43), &"_".repeat(43), "s3cret key"] {
        let error = key(wrong).expect_err(wrong).to_string();
        assert!(error.starts_with("TIDINGS_VAPID_PRIVATE_KEY must be 32 bytes"), "{error}");
        assert!(!error.contains(wrong) && error.lines().count() == 1, "{error}");
    }
    // Of the example in RFC 8291 §5.
    let text = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    let (config, _) = read(&[("TIDINGS_VAPID_PRIVATE_KEY", text)]).unwrap();
    let shown = format!("{config:?}").to_lowercase();
    assert!(config.push.key.is_some() && !shown.contains("c9f58f") && !shown.contains("201, 245"), "{shown}");
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
    for (right, read) in [
        ("postgresql://ada@localhost/x", "postgres://localhost/?dbname=x&host=localhost&port=5432&user=ada"),
        (
            "postgres://ada:s3cret@%2Frun/x?sslmode=require",
            "postgres://localhost/?dbname=x&host=%2Frun&password=s3cret&port=5432&sslmode=disable&user=ada",
        ),
    ] {
        assert_eq!(url(right).unwrap(), read);
    }
}

#[test]
fn b33_a_wrong_filter_of_logs_is_refused() {
    let log = |text| read(&[("RUST_LOG", text)]).map(|(config, _)| config.log);
    for wrong in ["info,sqlx=loud", "tidings=debug=info", "[=info"] {
        let error = log(wrong).expect_err(wrong).to_string();
        assert!(error.starts_with("RUST_LOG must be like info,") && error.lines().count() == 1, "{error}");
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
                let is_line = |warning: &String| !warning.contains(char::is_control) && warning.len() < 600;
                assert!(warnings.iter().all(is_line), "{warnings:?}");
                assert!(
                    config.reconnect_min <= config.reconnect_max
                        && config.history_page <= config.history_page_max
                );
                for setting in &all {
                    let Some(value) = given.get(&format!("{PREFIX}{}", setting.name)) else { continue };
                    let Some((min, max)) = setting.range.split_once(" to ") else { continue };
                    let range = min.parse::<u64>().unwrap()..=max.parse::<u64>().unwrap();
                    let is_right =
                        value.is_empty() || value.trim().parse().is_ok_and(|value| range.contains(&value));
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
            assert!(line.starts_with(".env") && line.lines().count() == 1 && line.len() < 400, "{line:?}");
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
