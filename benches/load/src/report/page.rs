//! What is said about a run, for people: one page that needs nothing else.

use super::axis::number;
use super::chart::{Chart, Histogram, Line};
use super::{Finding, Report};
use crate::latency::Percentiles;
use crate::timeline::Moment;
use crate::workers::{Sample, Seen};
use std::fmt::{Display, Write};

const STYLE: &str = include_str!("style.css");

/// The page.
pub(super) fn html(report: &Report) -> String {
    let load = &report.load;
    let (word, class) = verdict(report);
    let title = format!("{} a second for {} s", load.shape, number(load.seconds));
    let reasons: String =
        report.reasons.iter().map(|reason| format!("<li>{}</li>", escaped(reason))).collect();
    let reasons = match reasons.is_empty() {
        true => String::new(),
        false => format!("<ul class=reasons>{reasons}</ul>"),
    };
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content='width=device-width, initial-scale=1'>\
         <title>stda-load: {title}</title><style>{STYLE}</style>\
         <header><div><h1>{title}</h1><p>{}</p></div><span class='verdict {class}'>{word}</span></header>\
         {reasons}<div class=tiles>{}</div><main>{}</main><footer>{FOOTER}</footer></html>\n",
        subtitle(report),
        tiles(report),
        panels(report),
        title = escaped(&title),
    )
}

const FOOTER: &str = "Latency is measured from the moment at which a point was to be sent, not from \
    the one at which it was: a generator, a broker or a worker that stalls delays all points that \
    were due meanwhile, and all of them count. The audit matches every output with the point that \
    had to cause it, over the whole run, the warm-up included.";

fn verdict(report: &Report) -> (&'static str, &'static str) {
    match report.result {
        Finding::Passed => ("passed", "passed"),
        Finding::Invalid => ("invalid", "failed"),
        Finding::Faulty => ("faults found", "failed"),
        Finding::Slow => ("too slow", "failed"),
    }
}

fn subtitle(report: &Report) -> String {
    let load = &report.load;
    let forms = load.forms.join(", ");
    let mut parts = vec![
        format!("to <code>{}</code>", escaped(&load.input)),
        format!("{} series by {}", number(load.series as f64), escaped(&load.keys)),
        escaped(&forms),
        format!("{:?} arrivals", load.arrivals).to_lowercase(),
        format!("seed {}", load.seed),
    ];
    parts.extend(load.anomalies.as_deref().map(escaped));
    parts.extend(report.stopped.then(|| "stopped early".to_owned()));
    parts.join(" · ")
}

fn tiles(report: &Report) -> String {
    let latency = report.latency_ms.from_intended;
    let at = |value: fn(&Percentiles) -> f64| {
        latency.as_ref().map_or("–".into(), |p| number(value(p)))
    };
    let (goal, audit) = (report.goal, &report.audit);
    let slow = latency.is_none_or(|p| p.p95 > goal.p95_ms);
    let late = report.lag_ms.is_none_or(|lag| lag.p99 > goal.lag_p99_ms);
    let faults =
        audit.lost + audit.duplicated + audit.out_of_order + audit.unexpected + audit.silent;
    let mut tiles = tile(&at(|p| p.p50), "ms", "median latency", "from the intended time", false)
        + &tile(
            &at(|p| p.p95),
            "ms",
            "95th percentile",
            &format!("goal {} ms", number(goal.p95_ms)),
            slow,
        )
        + &tile(
            &at(|p| p.p99),
            "ms",
            "99th percentile",
            &format!("max {} ms", at(|p| p.max)),
            false,
        )
        + &tile(&number(report.points_per_second), "/s", "points sent", "after the warm-up", false);
    let passes = audit.passes(goal.repetitions);
    let counted = format!("of {} outputs", number(audit.expected as f64));
    tiles += &tile(&number(faults as f64), "", "faults", &counted, !passes);
    let lag = report.lag_ms.map_or("–".into(), |lag| number(lag.p99));
    let most = format!("p99, at most {} ms", number(goal.lag_p99_ms));
    tiles + &tile(&lag, "ms", "own lag", &most, late)
}

fn tile(value: &str, unit: &str, name: &str, note: &str, bad: bool) -> String {
    let class = if bad { "tile bad" } else { "tile" };
    format!(
        "<div class='{class}'><span>{name}</span><b>{value}<small> {unit}</small></b><i>{note}</i></div>"
    )
}

fn panels(report: &Report) -> String {
    let mut panels = latency(report) + &rate(report) + &histogram(report) + &lag(report);
    if let Some(seen) = report.workers.as_ref().filter(|seen| seen.samples.len() > 1) {
        panels += &memory(seen, report);
        panels += &processor(seen, report);
    }
    panels + &percentiles(report) + &audit(report) + &asked(report)
}

fn figure(title: &str, chart: &Chart<'_>) -> String {
    let item = |line: &Line<'_>| format!("<li class='{}'>{}</li>", line.class, line.name);
    let legend: String = chart.lines.iter().map(item).collect();
    let svg = chart.svg();
    format!(
        "<figure class=panel><figcaption><h2>{title}</h2><ul class=legend>{legend}</ul></figcaption>{svg}</figure>"
    )
}

/// The moments while points were sent, without those of the last outputs.
fn during(report: &Report) -> &[Moment] {
    let until = report.load.seconds;
    &report.timeline[..report.timeline.partition_point(|moment| moment.at < until)]
}

/// A chart over the seconds of the run.
fn over_time<'a>(
    report: &Report,
    label: &'a str,
    unit: &'a str,
    lines: Vec<Line<'a>>,
) -> Chart<'a> {
    Chart {
        label,
        unit,
        times: during(report).iter().map(|moment| moment.at).collect(),
        lines,
        guides: Vec::new(),
        warm_up: report.load.warm_up,
        logarithmic: false,
    }
}

fn line<'a, T>(
    name: &'a str,
    class: &'a str,
    all: &[T],
    value: impl Fn(&T) -> Option<f64>,
) -> Line<'a> {
    Line { name, class, values: all.iter().map(value).collect() }
}

fn latency(report: &Report) -> String {
    let of = |name, class, value: fn(&Percentiles) -> f64| {
        line(name, class, during(report), move |m: &Moment| m.latency_ms.as_ref().map(value))
    };
    let lines = vec![
        of("max", "d", |p| p.max),
        of("p99", "c", |p| p.p99),
        of("p95", "b", |p| p.p95),
        of("p50", "a", |p| p.p50),
    ];
    let mut chart = over_time(report, "Latency over time", "milliseconds", lines);
    chart
        .guides
        .push((report.goal.p95_ms, format!("goal for p95: {} ms", number(report.goal.p95_ms))));
    chart.logarithmic = true;
    figure("Latency, by when points were to be sent", &chart)
}

fn rate(report: &Report) -> String {
    let all = during(report);
    let lines = vec![
        line("sent", "a", all, |m: &Moment| Some(m.sent_per_second)),
        line("intended", "d dash", all, |m: &Moment| Some(m.intended_per_second)),
        line("outputs", "b", all, |m: &Moment| Some(m.outputs_per_second)),
    ];
    figure("Rate", &over_time(report, "Points and outputs a second over time", "a second", lines))
}

fn lag(report: &Report) -> String {
    let of = |name, class, value: fn(&Percentiles) -> f64| {
        line(name, class, during(report), move |m: &Moment| m.lag_ms.as_ref().map(value))
    };
    let lines =
        vec![of("max", "d", |p| p.max), of("p99", "c", |p| p.p99), of("p50", "a", |p| p.p50)];
    let mut chart = over_time(report, "Lag of the generator over time", "milliseconds", lines);
    let most = report.goal.lag_p99_ms;
    chart.guides.push((most, format!("valid up to a p99 of {} ms", number(most))));
    chart.logarithmic = true;
    figure("The generator's own lag", &chart)
}

fn histogram(report: &Report) -> String {
    let guides = report.latency_ms.from_intended.map_or_else(Vec::new, |p| {
        let named = |name: &str, value: f64| (value, format!("{name} {} ms", number(value)));
        vec![named("p50", p.p50), named("p95", p.p95), named("p99", p.p99)]
    });
    let bins = &report.histogram;
    let svg = Histogram { label: "Distribution of the latency", bins, guides }.svg();
    format!(
        "<figure class=panel><figcaption><h2>Latency from the intended time</h2></figcaption>{svg}</figure>"
    )
}

fn memory(seen: &Seen, report: &Report) -> String {
    let megabytes = |sample: &Sample| Some(sample.resident_bytes as f64 / f64::from(1 << 20));
    let lines = vec![line("resident", "a", &seen.samples, megabytes)];
    let mut chart = over_time(report, "Memory of the workers over time", "MiB", lines);
    chart.times = seen.samples.iter().map(|sample| sample.at).collect();
    figure("Memory of the workers", &chart)
}

fn processor(seen: &Seen, report: &Report) -> String {
    let used = |pair: &[Sample]| {
        let seconds = pair[1].at - pair[0].at;
        (seconds > 0.0).then(|| (pair[1].cpu_seconds - pair[0].cpu_seconds).max(0.0) / seconds)
    };
    let values = seen.samples.windows(2).map(used).collect();
    let lines = vec![Line { name: "busy", class: "b", values }];
    let mut chart = over_time(report, "Processors busy with the workers over time", "cores", lines);
    chart.times = seen.samples.iter().skip(1).map(|sample| sample.at).collect();
    figure("Processor time of the workers", &chart)
}

fn percentiles(report: &Report) -> String {
    let latency = &report.latency_ms;
    let mut rows = String::new();
    let mut row = |name: &str, found: Option<Percentiles>| {
        let Some(p) = found else { return };
        let cells = [p.mean, p.p50, p.p90, p.p95, p.p99, p.p99_9, p.max];
        let cells: String =
            cells.iter().map(|ms| format!("<td class=n>{}</td>", number(*ms))).collect();
        _ = write!(
            rows,
            "<tr><th>{name}</th><td class=n>{}</td>{cells}</tr>",
            number(p.count as f64)
        );
    };
    row("from the intended time", latency.from_intended);
    latency.by_kind.iter().for_each(|(kind, found)| row(&format!("— {kind}"), Some(*found)));
    row("from the sending", latency.from_sent);
    row("sent to stored", latency.stored);
    row("own lag", report.lag_ms);
    let heads = ["count", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"];
    let heads: String = heads.iter().map(|head| format!("<th class=n>{head}</th>")).collect();
    format!(
        "<section class='panel wide'><div class=caption><h2>Percentiles after the warm-up</h2>\
         <p>milliseconds</p></div><div class=scroll><table><tr><th></th>{heads}</tr>{rows}</table></div></section>"
    )
}

fn audit(report: &Report) -> String {
    let (audit, examples) = (&report.audit, &report.audit.examples);
    let mut rows = String::new();
    let mut row = |name: &str, count: u64, bad: bool, ids: &[String]| {
        let class = if bad && count > 0 { "n bad" } else { "n" };
        let ids: Vec<String> =
            ids.iter().take(3).map(|id| format!("<code>{}</code>", escaped(id))).collect();
        let (count, ids) = (number(count as f64), ids.join("<br>"));
        _ = write!(
            rows,
            "<tr><th>{name}</th><td class='{class}'>{count}</td><td class=ids>{ids}</td></tr>"
        );
    };
    row("points sent and stored", audit.inputs, false, &[]);
    row("outputs expected", audit.expected, false, &[]);
    row("arrived", audit.arrived, false, &[]);
    row("lost", audit.lost, true, &examples.lost);
    row("duplicated", audit.duplicated, true, &examples.duplicated);
    row("of them with other bytes", audit.differing, true, &[]);
    row("out of order", audit.out_of_order, true, &examples.out_of_order);
    row("unexpected", audit.unexpected, true, &examples.unexpected);
    row("alerts", audit.alerts, false, &[]);
    row("outputs that cannot be foreseen", audit.unforeseen, false, &[]);
    row("series that fell silent", audit.silent, true, &examples.silent);
    format!(
        "<section class=panel><div class=caption><h2>Audit</h2></div><table>{rows}</table></section>"
    )
}

fn asked(report: &Report) -> String {
    let load = &report.load;
    let mut rows = String::new();
    let mut row = |name: &str, value: &dyn Display| {
        _ = write!(rows, "<tr><th>{name}</th><td>{}</td></tr>", escaped(&value.to_string()));
    };
    row("shape", &load.shape);
    row(
        "seconds",
        &format!("{}, of which {} s warm-up", number(load.seconds), number(load.warm_up)),
    );
    row("series", &format!("{}, {}", load.series, load.forms.join(", ")));
    row("outputs", &load.outputs.join(", "));
    if load.anomalies.is_some() {
        row("stretches with an anomaly", &report.labels);
    }
    row("cores of this machine", &report.machine.cores);
    if let Some(load) = report.machine.load_average {
        row("load average at the end", &load);
    }
    let seen = report.workers.as_ref().filter(|seen| !seen.pids.is_empty());
    if seen.is_none() {
        row("workers counted", &"none was found on this machine: name them with --pid");
    }
    if let Some(seen) = seen {
        row("workers counted", &seen.counted());
        let megabytes = |bytes: &u64| number(*bytes as f64 / f64::from(1 << 20));
        let peaks: Vec<String> = seen.peak_bytes.iter().map(megabytes).collect();
        row("memory of the workers at the most", &format!("{} MiB", peaks.join(", ")));
        let million = 1e6 * seen.cpu_seconds / report.audit.inputs.max(1) as f64;
        let used =
            format!("{} s, {} s for a million points", number(seen.cpu_seconds), number(million));
        row("processor time of the workers", &used);
    }
    if report.foreign_records > 0 {
        row("records of others in the input", &report.foreign_records);
    }
    row("version", &report.version);
    format!(
        "<section class=panel><div class=caption><h2>Run</h2></div><table>{rows}</table></section>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
