//! Coming in through a directory: Debian's slapd, on ports of its own, with a
//! certificate of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use access::account::{self, AccountKind, NewAccount};
use access::{Caller, assignment};
use axum::http::StatusCode;
use lindero::config::Settings;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::support::{Answer, City};

const OPERATOR: &Caller = &Caller::OPERATOR;
const PASSWORD: &str = "ceiba violeta 41 nubes";
const SERVICE: &str = "the password of the service";

/// A directory that runs until the test ends.
struct Slapd {
    folder: TempDir,
    child: Child,
    plain: u16,
    tls: u16,
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error} (make setup)"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate of localhost, and of who signed it.
fn certificates(folder: &Path) {
    let openssl = |arguments: &[&str]| run(Command::new("openssl").args(arguments).current_dir(folder));
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let of_ca = ["-days", "2", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=The tests"];
    openssl(&[&["req", "-x509"][..], &key, &of_ca].concat());
    openssl(&[&["req"][..], &key, &["-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost"]].concat());
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    openssl(&[
        "x509",
        "-req",
        "-in",
        "request.pem",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "names",
        "-out",
        "cert.pem",
    ]);
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Debian confines the program by its path to the system's own directory.
fn program(folder: &Path, name: &str) -> PathBuf {
    let copy = folder.join(name);
    std::fs::copy(format!("/usr/sbin/{name}"), &copy)
        .unwrap_or_else(|error| panic!("slapd is not installed: {error} (make setup)"));
    copy
}

impl Slapd {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        certificates(folder.path());
        std::fs::create_dir(at("data")).unwrap();
        let config = format!(
            "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
             include /etc/ldap/schema/inetorgperson.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n\
             moduleload memberof\nTLSCertificateFile {}\nTLSCertificateKeyFile {}\npidfile {}\nargsfile {}\n\
             # No password goes over the wire in clear.\nsecurity simple_bind=112\n\
             # As an unwary directory has it: a bind without a password succeeds.\nallow bind_anon_dn bind_anon_cred\n\
             database mdb\nsuffix \"dc=example,dc=org\"\ndirectory {}\noverlay memberof\n\
             access to attrs=userPassword by anonymous auth by * none\n\
             access to * by dn.exact=\"cn=lindero,dc=example,dc=org\" read by * none\n",
            at("cert.pem"),
            at("key.pem"),
            at("pid"),
            at("args"),
            at("data"),
        );
        std::fs::write(at("slapd.conf"), config).unwrap();
        std::fs::write(at("content.ldif"), content()).unwrap();
        run(Command::new("/usr/sbin/slapadd").args(["-f", &at("slapd.conf"), "-l", &at("content.ldif")]));
        let (plain, tls) = (free_port(), free_port());
        let child = Command::new(program(folder.path(), "slapd"))
            .args(["-d", "0", "-f", &at("slapd.conf"), "-h"])
            .arg(format!("ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{tls}"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let slapd = Self { folder, child, plain, tls };
        let deadline = Instant::now() + Duration::from_secs(30);
        for port in [plain, tls] {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                assert!(Instant::now() < deadline, "slapd does not listen");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        slapd
    }

    /// The settings of a city that asks it, with that besides or instead.
    fn settings(&self, url: &str, more: &str) -> Settings {
        let secret = self.folder.path().join("secret");
        std::fs::write(&secret, SERVICE).unwrap();
        toml::from_str(&format!(
            "[[ldap]]\nid = 'directorio'\n{url}\nbind_dn = 'cn=lindero,dc=example,dc=org'\n\
             bind_password_file = '{}'\nbase = 'ou=personas,dc=example,dc=org'\ndependency_claim = 'departmentNumber'\n\
             {more}\n\
             [[ldap.roles]]\nvalue = 'CN=sig,ou=grupos,dc=example,dc=org'\nrole = 'planner'\nown_dependency = true\n\
             [[ldap.roles]]\nvalue = 'cn=jefes,ou=grupos,dc=example,dc=org'\nrole = 'auditor'\n",
            secret.display(),
        ))
        .unwrap()
    }

    fn trusted(&self) -> String {
        format!("ca_file = '{}'", self.folder.path().join("ca.pem").display())
    }

    fn groups(&self) -> String {
        format!("{}\ngroup_base = 'ou=grupos,dc=example,dc=org'", self.trusted())
    }

    fn secure(&self) -> String {
        format!("url = 'ldaps://localhost:{}'", self.tls)
    }
}

/// Persons and groups, as `slapadd` takes them.
fn content() -> String {
    let person = |uid: &str, more: &str| {
        format!(
            "dn: uid={},ou=personas,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid} Prueba\nsn: Prueba\n\
             mail: comun@example.org\nuserPassword: {PASSWORD}\n{more}\n",
            uid.replace(['*', '('], "x"),
        )
    };
    let unit = |name: &str| format!("dn: ou={name},dc=example,dc=org\nobjectClass: organizationalUnit\nou: {name}\n");
    [
        "dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\no: x\ndc: example\n".to_owned(),
        unit("personas"),
        unit("grupos"),
        format!("dn: cn=lindero,dc=example,dc=org\nobjectClass: person\ncn: lindero\nsn: x\nuserPassword: {SERVICE}\n"),
        person("eva", "departmentNumber: Salud\n"),
        // Has a group that the directory says of it itself, and an odd name.
        person("o(x*", "memberOf: cn=jefes,ou=grupos,dc=example,dc=org\n"),
        person("nadie", ""),
        "dn: cn=sig,ou=grupos,dc=example,dc=org\nobjectClass: groupOfNames\ncn: sig\n\
         member: uid=eva,ou=personas,dc=example,dc=org\n"
            .to_owned(),
    ]
    .join("\n")
}

async fn try_in(city: &City, name: &str, password: &str) -> Answer {
    city.put_in("POST", "/session", &[], &json!({ "name": name, "password": password })).await
}

#[tokio::test]
async fn who_is_in_the_directory_comes_in_with_what_the_rules_give() {
    let slapd = Slapd::start().await;
    for url in [slapd.secure(), format!("url = 'ldap://localhost:{}'\nstarttls = true", slapd.plain)] {
        let city = City::with(slapd.settings(&url, &slapd.groups())).await;
        let answer = try_in(&city, "Eva ", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{url}: {}", answer.text());
        let document = answer.json();
        let account = &document["account"];
        assert_eq!((&account["name"], &account["provider"]), (&json!("eva"), &json!("directorio")));
        assert_eq!((&account["full_name"], &account["dependency"]), (&json!("eva Prueba"), &json!("Salud")));
        assert_eq!(document["rights"][0]["reach"], json!({ "dependency": "Salud" }));
        let again = try_in(&city, "eva", PASSWORD).await.json()["account"]["id"].clone();
        assert_eq!(again, account["id"], "the same account");
        // A group that the person's own entry names.
        let odd = try_in(&city, "o(x*", PASSWORD).await;
        assert_eq!(odd.json()["rights"][0]["permissions"], json!(["read_audit"]), "{}", odd.text());
        assert_eq!(try_in(&city, "nadie", PASSWORD).await.status, StatusCode::FORBIDDEN, "of no group");
        assert_eq!(city.state.identity.reach().await, [("directorio".to_owned(), Ok(()))]);
    }
}

#[tokio::test]
async fn without_the_right_password_nobody_comes_in() {
    let slapd = Slapd::start().await;
    let city = City::with(slapd.settings(&slapd.secure(), &slapd.groups())).await;
    let db = city.db.database();
    // A name of our own is asked of no directory, which knows its password.
    account::create(OPERATOR, db, &NewAccount::new("nadie", AccountKind::Person)).await.unwrap();
    for (name, password, what) in [
        ("eva", "no es esta 12", "another password"),
        ("eva", "", "an unauthenticated bind"),
        ("nadie", PASSWORD, "an account of ours"),
        ("ninguna", PASSWORD, "nobody"),
        ("*", PASSWORD, "everybody"),
        ("e*", PASSWORD, "a part of a name"),
        ("eva)(uid=*", PASSWORD, "another filter"),
        ("eva)(|(uid=*", PASSWORD, "another filter"),
        ("uid=eva,ou=personas,dc=example,dc=org", PASSWORD, "a name of the directory"),
        ("\\65va", PASSWORD, "an escaped name"),
    ] {
        let answer = try_in(&city, name, password).await;
        assert_eq!(
            (answer.status, answer.header("set-cookie")),
            (StatusCode::UNAUTHORIZED, ""),
            "{what}: {}",
            answer.text()
        );
    }
    let known = account::list(OPERATOR, db).await.unwrap();
    assert_eq!(known.len(), 1, "nobody was let in");
    // Once in, always this directory's: and what the rules gave goes with the group.
    let eva = try_in(&city, "eva", PASSWORD).await.json()["account"]["id"].clone();
    let eva = eva.as_str().unwrap().parse().unwrap();
    assert_eq!(assignment::list(OPERATOR, db, eva).await.unwrap().len(), 1);
    // A filter that finds several takes none of them.
    let several = format!("{}\nuser_filter = '(mail={{name}})'", slapd.groups());
    let other = City::with(slapd.settings(&slapd.secure(), &several)).await;
    assert_eq!(try_in(&other, "comun@example.org", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_directory_that_cannot_be_trusted_or_asked_is_said_to_be_away() {
    let slapd = Slapd::start().await;
    let starttls = format!("url = 'ldap://localhost:{}'\nstarttls = true", slapd.plain);
    for (url, more, what) in [
        (slapd.secure(), String::new(), "a certificate that nobody trusts"),
        (starttls, String::new(), "the same by StartTLS"),
        // The certificate is of another name.
        (format!("url = 'ldaps://127.0.0.1:{}'", slapd.tls), slapd.trusted(), "another's name"),
        (format!("url = 'ldaps://localhost:{}'", free_port()), slapd.trusted(), "nobody listens"),
        (format!("url = 'ldaps://localhost:{}'", slapd.plain), slapd.trusted(), "no TLS"),
    ] {
        let city = City::with(slapd.settings(&url, &more)).await;
        let answer = try_in(&city, "eva", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{what}: {}", answer.text());
        assert!(!answer.text().contains("eva"), "{what}");
        assert!(city.state.identity.reach().await[0].1.is_err(), "{what}");
    }
    let city = City::with(slapd.settings(&slapd.secure(), &slapd.trusted())).await;
    std::fs::write(slapd.folder.path().join("secret"), "not the service's").unwrap();
    assert_eq!(try_in(&city, "eva", PASSWORD).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(city.get("/session").await.json()["account"], Value::Null);
}

#[test]
fn passwords_never_go_in_clear() {
    let resolve = |text: &str| {
        let settings: Settings = toml::from_str(text).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        settings.resolve(Some(file.path())).map(drop).map_err(|error| error.to_string())
    };
    for (url, is_taken) in [
        ("ldaps://ad.example.org", true),
        ("ldap://ad.example.org'\nstarttls = true\nuid = 'x", false),
        ("ldap://ad.example.org", false),
        ("ldaps://ad.example.org'\nstarttls = true\nemail_attribute = 'mail", false),
        ("http://ad.example.org", false),
    ] {
        let text = format!("[[ldap]]\nid = 'a'\nurl = '{url}'\nbase = 'dc=x'\n");
        let outcome = toml::from_str::<Settings>(&text).map_err(|error| error.to_string()).and_then(|_| resolve(&text));
        assert_eq!(outcome.is_ok(), is_taken, "{url}: {outcome:?}");
    }
}
