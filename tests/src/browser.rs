//! A real, headless Chromium, driven by the DevTools protocol.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the browser is called, where.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
/// Without the network flags, it looks up hosts of its maker at every start.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
];

/// A running browser; it is killed when dropped.
pub struct Browser {
    process: Child,
    address: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser with an empty profile.
    ///
    /// # Errors
    /// When none is installed, or it does not start.
    pub fn start() -> Result<Browser> {
        let profile = tempfile::tempdir()?;
        let mut process = spawn(&profile)?;
        let stderr = process.stderr.take().context("the browser has no standard error")?;
        let mut said = String::new();
        for line in BufReader::new(stderr).lines() {
            let line = line?;
            if let Some((_, address)) = line.split_once("DevTools listening on ") {
                let address = address.trim().to_owned();
                return Ok(Browser { process, address, _profile: profile });
            }
            said += &(line + "\n");
        }
        let _ = process.kill();
        let _ = process.wait();
        bail!("the browser did not start:\n{said}")
    }

    /// Opens an empty tab.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn tab(&self) -> Result<Tab> {
        let host = self.address.trim_start_matches("ws://");
        let host = host.split('/').next().unwrap_or_default();
        let stream = TcpStream::connect(host).context("cannot reach the browser")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let (socket, _) = tungstenite::client(self.address.as_str(), stream)?;
        let mut tab = Tab { socket, session: None, asked: 0, problems: Vec::new() };
        let target = tab.call("Target.createTarget", json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = tab.call("Target.attachToTarget", attach)?;
        tab.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log"] {
            tab.call(&format!("{domain}.enable"), json!({}))?;
        }
        Ok(tab)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(profile: &TempDir) -> Result<Child> {
    for name in NAMES {
        let started = Command::new(name)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        match started {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            started => return started.with_context(|| format!("cannot start {name}")),
        }
    }
    bail!("no browser is installed ({}): run `scripts/setup test`", NAMES.join(", "))
}

/// One tab.
pub struct Tab {
    socket: WebSocket<TcpStream>,
    session: Option<String>,
    asked: u64,
    problems: Vec<String>,
}

impl Tab {
    /// Goes to an address and waits until the page is loaded.
    ///
    /// # Errors
    /// When the page cannot be loaded.
    pub fn open(&mut self, address: &str) -> Result<()> {
        let went = self.call("Page.navigate", json!({"url": address}))?;
        if let Some(reason) = went["errorText"].as_str() {
            bail!("cannot open {address}: {reason}");
        }
        self.wait_for("document.readyState === 'complete'")
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// When it throws.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let ask = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call("Runtime.evaluate", ask)?;
        if !answer["exceptionDetails"].is_null() {
            bail!("{expression} throws {}", answer["exceptionDetails"]);
        }
        Ok(answer["result"]["value"].take())
    }

    /// Waits until an expression is true.
    ///
    /// # Errors
    /// When that takes too long; tells what the page has complained about meanwhile.
    pub fn wait_for(&mut self, expression: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.evaluate(expression)? != Value::Bool(true) {
            if Instant::now() > deadline {
                bail!("{expression} is not true after {PATIENCE:?}; {:?}", self.problems);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Makes the view so many CSS pixels wide and high; below 700 it is a phone's.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn resize(&mut self, width: u32, height: u32) -> Result<()> {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700
        });
        self.call("Emulation.setDeviceMetricsOverride", size).map(drop)
    }

    /// Lets the page believe that the user prefers dark or light.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn prefer(&mut self, scheme: &str) -> Result<()> {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.call("Emulation.setEmulatedMedia", json!({"features": [feature]})).map(drop)
    }

    /// Exceptions, and errors and warnings on the console, since the tab was opened.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn problems(&mut self) -> Result<&[String]> {
        // What was said before this answer has arrived with it.
        self.evaluate("0")?;
        Ok(&self.problems)
    }

    /// Asks the browser for something.
    fn call(&mut self, method: &str, parameters: Value) -> Result<Value> {
        self.asked += 1;
        let mut ask = json!({"id": self.asked, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            ask["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(ask.to_string()))?;
        loop {
            let message = self.socket.read().with_context(|| format!("no answer to {method}"))?;
            let Message::Text(text) = message else { continue };
            let mut answer: Value = serde_json::from_str(&text)?;
            if answer["id"] != self.asked {
                self.hear(&answer);
            } else if answer["error"].is_null() {
                return Ok(answer["result"].take());
            } else {
                bail!("{method}: {}", answer["error"]);
            }
        }
    }

    fn hear(&mut self, event: &Value) {
        let told = &event["params"];
        let is_problem = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => {
                told["type"] == "error" || told["type"] == "warning"
            }
            Some("Log.entryAdded") => {
                told["entry"]["level"] == "error" || told["entry"]["level"] == "warning"
            }
            _ => false,
        };
        if is_problem {
            self.problems.push(told.to_string());
        }
    }
}
