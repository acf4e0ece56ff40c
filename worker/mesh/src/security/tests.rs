use super::*;
use std::fs;

const PASSWORD: &str = "hunter2-4711";

/// A folder of files as they are mounted.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Files {
        let name = format!("streaming-tda-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let files = Files(folder);
        for (name, text) in [
            ("ca", "-----BEGIN CERTIFICATE-----\n"),
            ("certificate", "-----BEGIN CERTIFICATE-----\n"),
            ("key", "-----BEGIN PRIVATE KEY-----\n"),
            ("locked", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"),
            ("password", "hunter2-4711\r\n"),
            ("empty", "\n"),
        ] {
            fs::write(files.at(name), text).unwrap();
        }
        files
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn some(&self, name: &str) -> Option<PathBuf> {
        Some(self.at(name))
    }

    fn sasl(&self, password: &str) -> Sasl {
        let (mechanism, username) = (Mechanism::Scram512, "ada".into());
        Sasl { mechanism, username, password_file: self.at(password) }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn revealed(security: &Security) -> Vec<(&'static str, String)> {
    let properties = security.properties().unwrap();
    properties.into_iter().map(|(name, value)| (name, value.reveal().to_owned())).collect()
}

#[test]
fn each_combination_has_its_protocol() {
    let files = Files::new("protocol");
    let tls = || Some(Tls { ca_file: files.some("ca"), ..Tls::default() });
    let sasl = || Some(files.sasl("password"));
    for (tls, sasl, protocol) in
        [(tls(), None, "ssl"), (None, sasl(), "sasl_plaintext"), (tls(), sasl(), "sasl_ssl")]
    {
        let security = Security { tls, sasl };
        assert_eq!(security.problems(), []);
        assert_eq!(revealed(&security)[0], ("security.protocol", protocol.into()));
    }
    assert!(revealed(&Security::default()).is_empty());
}

#[test]
fn all_that_is_named_reaches_the_client() {
    let files = Files::new("all");
    let tls = Tls {
        ca_file: files.some("ca"),
        certificate_file: files.some("certificate"),
        key_file: files.some("locked"),
        key_password_file: files.some("password"),
    };
    let security = Security { tls: Some(tls), sasl: Some(files.sasl("password")) };
    assert_eq!(security.problems(), []);
    let path = |name| files.at(name).display().to_string();
    let expected = [
        ("security.protocol", "sasl_ssl".into()),
        ("ssl.ca.location", path("ca")),
        ("ssl.certificate.location", path("certificate")),
        ("ssl.key.location", path("locked")),
        ("ssl.key.password", PASSWORD.into()),
        ("sasl.mechanism", "SCRAM-SHA-512".into()),
        ("sasl.username", "ada".into()),
        ("sasl.password", PASSWORD.into()),
    ];
    assert_eq!(revealed(&security), expected);
    let shown = format!("{:?} {security:?}", security.properties().unwrap());
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[test]
fn a_password_that_was_rotated_is_read_again() {
    let files = Files::new("rotated");
    let security = Security { tls: None, sasl: Some(files.sasl("password")) };
    assert_eq!(revealed(&security)[3].1, PASSWORD);
    fs::write(files.at("password"), "another").unwrap();
    assert_eq!(revealed(&security)[3].1, "another");
    fs::remove_file(files.at("password")).unwrap();
    let error = security.properties().unwrap_err().to_string();
    assert!(error.contains("password") && error.contains("No such file"), "{error}");
}

#[test]
fn what_is_missing_or_does_not_fit_is_said_by_field() {
    let files = Files::new("missing");
    let check = |tls: Tls, sasl: Option<Sasl>, expected: &[&str]| {
        let found = Security { tls: Some(tls), sasl }.problems();
        let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, expected, "{found:?}");
        assert!(!format!("{found:?}").contains(PASSWORD));
    };
    let none = Tls::default;
    check(Tls { ca_file: files.some("nowhere"), ..none() }, None, &["tls.ca_file"]);
    check(Tls { ca_file: files.some("password"), ..none() }, None, &["tls.ca_file"]);
    check(Tls { certificate_file: files.some("certificate"), ..none() }, None, &["tls.key_file"]);
    check(Tls { key_file: files.some("key"), ..none() }, None, &["tls.certificate_file"]);
    check(Tls { key_password_file: files.some("password"), ..none() }, None, &["tls.key_file"]);
    let locked = Tls {
        certificate_file: files.some("certificate"),
        key_file: files.some("locked"),
        ..none()
    };
    check(locked, None, &["tls.key_password_file"]);
    check(none(), Some(files.sasl("nowhere")), &["sasl.password_file"]);
    check(none(), Some(files.sasl("empty")), &["sasl.password_file"]);
    let nobody = Sasl { username: String::new(), ..files.sasl("password") };
    check(none(), Some(nobody), &["sasl.username"]);
    let plain = Sasl { mechanism: Mechanism::Plain, ..files.sasl("password") };
    check(none(), Some(plain.clone()), &[]);
    let open = Security { tls: None, sasl: Some(plain) }.problems();
    assert_eq!(open[0].0, "sasl.mechanism");
}

#[test]
fn secrets_and_what_the_section_says_are_refused_as_properties() {
    let none = Security::default();
    let hint = none.refusal("sasl.password").unwrap();
    assert!(hint.contains("kafka.security.sasl.password_file"), "{hint}");
    for (secret, _) in SECRET {
        assert!(none.refusal(secret).is_some(), "{secret}");
    }
    let some = Security { tls: Some(Tls::default()), sasl: None };
    for property in OURS {
        assert_eq!(none.refusal(property), None);
        assert!(some.refusal(property).is_some(), "{property}");
    }
    assert_eq!(some.refusal("linger.ms"), None);
}
