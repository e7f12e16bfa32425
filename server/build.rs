//! The web app lies in `ui-map/dist` once `make build` has built it. A build
//! without it (of the server alone) embeds a page that says so.

use std::path::Path;

const PLACEHOLDER: &str = "<!doctype html>
<html lang=\"es\"><meta charset=\"utf-8\"><title>Lindero</title>
<p>Este programa se compiló sin la aplicación web: ejecute <code>make build</code>.
<p lang=\"en\">This program was built without the web app: run <code>make build</code>.
";

fn main() {
    let app = Path::new("../ui-map/dist");
    let page = app.join("index.html");
    if !page.exists() {
        let made = std::fs::create_dir_all(app).and_then(|()| std::fs::write(&page, PLACEHOLDER));
        if let Err(error) = made {
            println!("cargo::error=the web app's folder {} cannot be made: {error}", app.display());
        }
    }
    println!("cargo::rerun-if-changed=../ui-map/dist");
}
