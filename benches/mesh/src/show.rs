//! What is printed.

use crate::audit::Audit;
use crate::backlog::Drained;
use crate::paced::Paced;
use crate::recovery::Recovered;
use crate::results::Results;

/// A line about what comes next.
pub(crate) fn section(text: &str) {
    println!("\n{text}");
}

pub(crate) fn drained(what: &str, drained: &Drained) {
    println!(
        "  {what:<34} {:>9.0} points per CPU second, {:>9.0} a second; {}",
        drained.points_per_cpu_second,
        drained.points_per_second,
        audit(&drained.audit)
    );
}

pub(crate) fn paced(what: &str, paced: &Paced) {
    let l = &paced.latency_ms;
    println!(
        "  {what:<34} P50 {:.1}, P95 {:.1}, P99 {:.1} ms at {:.0} points/s on {:.2} cores; {}",
        l.p50,
        l.p95,
        l.p99,
        paced.points_per_second,
        paced.cores,
        audit(&paced.audit)
    );
    if !paced.valid {
        println!(
            "  {:<34} MEANS NOTHING: the machine is too busy, the generator was {:.0} ms late (P99)",
            "", paced.generator_lag_ms.p99
        );
    }
}

pub(crate) fn recovered(what: &str, recovered: &Recovered) {
    println!(
        "  {what:<34} served again after {:.1} s; {}",
        recovered.seconds,
        audit(&recovered.audit)
    );
}

pub(crate) fn summary(results: &Results) {
    println!("\npoints per second and core: {:.0}", results.points_per_second_per_core);
    for (workers, seconds) in &results.cpu_seconds_per_million_points {
        println!("CPU seconds per million points, {workers} workers: {seconds:.1}");
    }
    let Results { lost, duplicated, reordered, recovery_seconds, .. } = results;
    println!("lost {lost}, duplicated {duplicated}, reordered {reordered}");
    println!("recovery after a kill: {recovery_seconds:.1} s");
}

fn audit(audit: &Audit) -> String {
    let Audit { results, lost, duplicated, contradicted, reordered } = audit;
    let found =
        format!("{results} results, {lost} lost, {duplicated} again, {reordered} reordered");
    match contradicted {
        0 => found,
        _ => format!("{found}, {contradicted} CAME AGAIN WITH OTHER BYTES"),
    }
}
