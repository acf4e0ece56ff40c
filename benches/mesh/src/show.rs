//! What is printed.

use crate::audit::Audit;
use crate::backlog::Drained;
use crate::paced::Paced;
use crate::recovery::Recovered;
use crate::results::{ByGuarantee, LatencyOf, Results};
use crate::sharing::Shared;
use std::time::Duration;

/// A line about what comes next.
pub(crate) fn section(text: &str) {
    println!("\n{text}");
}

/// How far it has come; a line that is there before the run takes its time.
pub(crate) fn progress(run: usize, runs: usize, elapsed: Duration, what: &str) {
    println!("[run {run} of {runs}, after {:.0} s] {what}", elapsed.as_secs_f64());
}

pub(crate) fn drained(drained: &Drained) {
    println!(
        "  {:.0} points per CPU second, {:.0} a second; {}",
        drained.points_per_cpu_second,
        drained.points_per_second,
        audit(&drained.audit)
    );
}

pub(crate) fn paced(paced: &Paced) {
    println!(
        "  {} from intended, {} from append, at {:.0} points/s on {:.2} cores; {}",
        percentiles(&paced.latency_ms.into()),
        percentiles(&paced.from_append_ms.into()),
        paced.points_per_second,
        paced.cores,
        audit(&paced.audit)
    );
    if !paced.valid {
        println!(
            "  MEANS NOTHING: the machine is too busy, the generator was {:.1} ms late (P99)",
            paced.generator_lag_ms.p99
        );
    }
}

pub(crate) fn shared(shared: &Shared) {
    println!(
        "  {:.1} CPU seconds per million points at {:.0} points/s; {}",
        shared.cost(),
        shared.points_per_second,
        audit(&shared.audit)
    );
}

pub(crate) fn alone(cost: f64) {
    println!("  {cost:.1} CPU seconds per million points by as many processes that only compute");
}

pub(crate) fn recovered(recovered: &Recovered) {
    println!(
        "  served again after {:.1} s, {} partitions had paused; {}",
        recovered.seconds,
        recovered.paused_partitions,
        audit(&recovered.audit)
    );
}

pub(crate) fn summary(results: &Results) {
    let figures = &results.figures;
    println!("\npoints per second and core: {:.0}", figures.points_per_second_per_core);
    latencies("latency from the intended time", &figures.latency_ms);
    latencies("latency from the append", &figures.latency_from_append_ms);
    for (workers, seconds) in &figures.cpu_seconds_per_million_points {
        println!("CPU seconds per million points, {workers} workers: {seconds:.1}");
    }
    println!(
        "over all runs, with those in which a worker was killed: lost {}, duplicated {}, with \
         other bytes {}, reordered {}",
        figures.lost, figures.duplicated, figures.contradicted, figures.reordered
    );
    if let Some(seconds) = figures.recovery_seconds {
        println!("recovery after a kill: {seconds:.1} s");
    }
    results.faults.iter().for_each(|fault| println!("FAULT: {fault}"));
}

fn latencies(what: &str, latencies: &ByGuarantee<LatencyOf>) {
    for (guarantee, latency) in latencies {
        println!("{what}, {}: {}", guarantee.name().replace('_', " "), percentiles(latency));
    }
}

fn percentiles(LatencyOf { p50, p95, p99 }: &LatencyOf) -> String {
    format!("P50 {p50:.1}, P95 {p95:.1}, P99 {p99:.1} ms")
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
