//! Attachments in a bucket: two servers, a server that speaks as Amazon S3
//! does, and what happens when it is away.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use access::account::{self, AccountKind, NewAccount};
use access::assignment::{self, NewAssignment};
use access::key::{self, NewKey};
use access::{Caller, Reach};
use testdb::TestDatabase;

use crate::harness::{Room, Server, curl, text};

const OPERATOR: &Caller = &Caller::OPERATOR;
const SITES: &str = r#"{ "type": "FeatureCollection", "features": [{ "type": "Feature",
    "geometry": { "type": "Point", "coordinates": [-75.23, 4.44] }, "properties": { "nombre": "Parque" } }] }"#;

/// The store, until it is dropped.
struct S3 {
    child: Child,
    url: String,
}

impl S3 {
    fn start(python: &std::ffi::OsStr) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/s3_server.py");
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        Self { child, url: url.trim().to_owned() }
    }

    /// Tells a command of it.
    fn tell(&self, command: &mut Command, database: &str) {
        command.env("DATABASE_URL", database).env("LINDERO_ATTACHMENT_STORE", "s3://ibague/adjuntos");
        command.env("AWS_ENDPOINT_URL", &self.url).env("AWS_ALLOW_HTTP", "true").env("NO_PROXY", "127.0.0.1");
        command.env("AWS_REGION", "us-east-1").env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x");
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A key of somebody who edits.
async fn editor(test: &TestDatabase) -> String {
    let db = test.database();
    let account = account::create(OPERATOR, db, &NewAccount::new("sig", AccountKind::System)).await.unwrap().id;
    let editor = NewAssignment { role: "editor".to_owned(), reach: Reach::default(), expires_at: None };
    assignment::assign(OPERATOR, db, account, &editor).await.unwrap();
    let new = NewKey { title: "prueba".to_owned(), permissions: None, expires_at: None };
    let (token, _) = key::create(OPERATOR, db, account, &new).await.unwrap();
    format!("authorization: Bearer {}", token.expose())
}

#[test]
fn attachments_in_a_bucket_are_every_servers_and_a_bucket_that_is_away_is_said() {
    // `scripts/python` prints it, and installs the pinned packages.
    let Some(python) = std::env::var_os("LINDERO_TEST_PYTHON") else {
        println!("skipped: LINDERO_TEST_PYTHON names no Python with moto (run `make test`)");
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let test = runtime.block_on(TestDatabase::new());
    let s3 = S3::start(&python);
    let (room, file) = (Room::new(), "acta.pdf");
    std::fs::write(room.path().join("sitios.geojson"), SITES).unwrap();
    std::fs::write(room.path().join(file), "%PDF-1.7\n%%EOF\n").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = room.command(arguments);
        s3.tell(&mut command, &test.url());
        command.output().unwrap()
    };
    let imported = run(&["import", "sitios.geojson", "--layer", "sitios", "--municipality", "73001"]);
    assert!(imported.status.success(), "{}", text(&imported));
    let key = runtime.block_on(editor(&test));
    let serve = |room: &Room| room.serve_with(|command| s3.tell(command, &test.url()));
    let (other, one) = (Room::new(), serve(&room));
    let two = serve(&other);

    let list = "/collections/sitios/items/1/attachments";
    let attach = |server: &Server| {
        let path = room.path().join(file);
        curl(&["--header", &key, "--form", &format!("file=@{}", path.display()), &format!("{}{list}", server.url)])
    };
    let added = attach(&one);
    assert_eq!(added.status, 201, "{}", added.body);
    let id = added.json()["id"].as_str().unwrap().to_owned();
    let shown = curl(&["--header", &key, &format!("{}{list}/{id}", two.url)]);
    assert_eq!((shown.status, shown.body.as_str()), (200, "%PDF-1.7\n%%EOF\n"));
    // Where it was said to be, and not in the data folder.
    assert!(!room.data().join("attachments").exists());
    let listed = curl(&[&format!("{}/ibague?list-type=2", s3.url)]);
    assert!(listed.body.contains(&format!("<Key>adjuntos/{}", &id[id.len() - 2..])), "{}", listed.body);
    assert!(text(&run(&["doctor"])).contains("s3://ibague/adjuntos can be read"));

    drop(s3);
    let failed = attach(&two);
    assert_eq!((failed.status, &failed.json()["type"]), (503, &"urn:problem-type:lindero:unavailable".into()));
    assert!(!failed.body.contains("ibague/"), "{}", failed.body);
    assert_eq!(curl(&["--header", &key, &format!("{}{list}/{id}", one.url)]).status, 503);
    assert!(one.log().contains("the attachments' store failed"), "{}", one.log());
    // What is not a file goes on.
    let listed = curl(&["--header", &key, &format!("{}{list}", one.url)]);
    assert_eq!(listed.json()["attachments"].as_array().unwrap().len(), 1);
}
