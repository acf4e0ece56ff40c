//! What the workers put out.

use super::watch::say;
use anyhow::Result;
use mesh::schema::Kind;
use mesh::tail::Begin;
use mesh::{Connection, Tail};
use serde::Deserialize;
use std::time::Duration;

/// A reader of alerts that counts diagrams too.
pub(super) struct Alerts {
    tail: Tail,
    alerts: String,
    pub(super) diagrams: u64,
    pub(super) count: u64,
}

#[derive(Deserialize)]
struct Alert {
    series: String,
    time: f64,
    score: f32,
    threshold: f32,
    #[serde(rename = "loop")]
    responsible: Option<Loop>,
}

#[derive(Deserialize)]
struct Loop {
    birth: f32,
    death: Option<f32>,
}

impl Alerts {
    pub(super) fn open(connection: &Connection, output: &str) -> Result<Alerts> {
        let [diagrams, alerts] =
            [Kind::Diagrams, Kind::Alerts].map(|kind| format!("{output}.{kind}"));
        let tail = Tail::open(connection, &[&diagrams, &alerts], Begin::First)?;
        Ok(Alerts { tail, alerts, diagrams: 0, count: 0 })
    }

    /// Reads the next output, and shows it if it is an alert; whether one came within `wait`.
    pub(super) fn read(&mut self, wait: Duration) -> Result<bool> {
        let Some(located) = self.tail.next(wait)? else { return Ok(false) };
        if located.topic != self.alerts {
            self.diagrams += 1;
            return Ok(true);
        }
        self.count += 1;
        let value = located.record.value.unwrap_or_default();
        let Alert { series, time, score, threshold, responsible } = serde_json::from_slice(&value)?;
        let shape = match responsible {
            Some(Loop { birth, death: Some(death) }) => {
                format!("a loop born at {birth:.2} mV dies at {death:.2} mV")
            }
            Some(Loop { birth, death: None }) => format!("a loop born at {birth:.2} mV stays open"),
            None => "no loop".into(),
        };
        let time = time / 1000.0 % 86_400.0;
        let (hours, minutes, seconds) = (time / 3600.0, time / 60.0 % 60.0, time % 60.0);
        let clock = format!("{:02}:{:02}:{seconds:04.1}", hours as u32, minutes as u32);
        say("alert", &format!("{clock}  {series}  score {score:.1} > {threshold}: {shape}"));
        Ok(true)
    }
}
