use super::*;
use proptest::prelude::*;

fn shape(text: &str) -> Shape {
    text.parse().unwrap_or_else(|mistake| panic!("{mistake}"))
}

/// The integral of the rate by many small steps, each at its middle.
fn summed(shape: &Shape, until: f64) -> f64 {
    let steps = 200_000;
    let width = until / f64::from(steps);
    (0..steps).map(|n| shape.rate((f64::from(n) + 0.5) * width) * width).sum()
}

fn shapes() -> impl Strategy<Value = Shape> {
    let rate = || (0..40u32).prop_map(|r| f64::from(r) * 2.5);
    let time = || (1..80u32).prop_map(|t| f64::from(t) * 0.125);
    let leaf = prop_oneof![
        rate().prop_map(Constant),
        (rate(), rate(), time()).prop_map(|(from, to, over)| Ramp { from, to, over }),
        (time(), rate()).prop_map(|(at, rate)| Step { at, rate }),
        (time(), rate(), time()).prop_map(|(at, rate, lasting)| Spike { at, rate, lasting }),
        (rate(), 0.0..=1.0, time()).prop_map(|(mean, share, period)| Wave {
            mean,
            amplitude: share * mean,
            period
        }),
    ];
    leaf.prop_recursive(3, 12, 2, move |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            pair.clone().prop_map(|(a, b)| Sum(a.into(), b.into())),
            (0.0..3.0, inner.clone()).prop_map(|(factor, shape)| Scaled(factor, shape.into())),
            (inner, time()).prop_map(|(shape, end)| For(shape.into(), end)),
            (pair, time()).prop_map(|((first, rest), end)| match first.end() {
                Some(_) => Then(first.into(), rest.into()),
                None => Then(For(first.into(), end).into(), rest.into()),
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_points_are_the_integral_of_the_rate(shape in shapes(), until in 0.1..40.0f64) {
        shape.check().unwrap();
        let (closed, summed) = (shape.points(until), summed(&shape, until));
        // A jump of the rate may lie anywhere in a step.
        prop_assert!((closed - summed).abs() < 0.2 + 1e-6 * summed, "{closed} {summed}");
    }

    #[test]
    fn points_come_when_the_integral_passes_their_number(shape in shapes()) {
        let until = 30.0;
        let mut from = 0.0;
        for number in 0.. {
            let Some(at) = shape.time_of(f64::from(number), from, until) else {
                let all = shape.points(until);
                prop_assert!(all <= f64::from(number) + 1e-6, "{all} but {number} came");
                break;
            };
            prop_assert!(at >= from && at <= until);
            let most = shape.points(until).max(1.0) * 1e-9;
            prop_assert!(shape.points(at) >= f64::from(number) - most);
            prop_assert!(at <= 2e-9 || shape.points(at - 2e-9) <= f64::from(number) + most);
            from = at;
        }
    }

    #[test]
    fn what_is_written_reads_back(shape in shapes()) {
        prop_assert_eq!(shape.to_string().parse::<Shape>().unwrap(), shape);
    }
}

#[test]
fn shapes_are_what_their_names_say() {
    let table: [(&str, &[(f64, f64)]); 7] = [
        ("constant(10k)", &[(0.0, 10e3), (9.0, 10e3)]),
        ("ramp(0, 100, 10s)", &[(0.0, 0.0), (5.0, 50.0), (10.0, 100.0), (20.0, 100.0)]),
        ("step(5s, 7)", &[(4.9, 0.0), (5.0, 7.0)]),
        ("constant(1) + spike(5s, 7, 2s)", &[(4.9, 1.0), (5.0, 8.0), (7.0, 1.0)]),
        ("wave(10, 5, 4s)", &[(0.0, 10.0), (1.0, 15.0), (3.0, 5.0)]),
        (
            "2 * constant(3) for 1m then 3 * (constant(1) + constant(2))",
            &[(59.0, 6.0), (60.0, 9.0)],
        ),
        ("ramp(0,10,30s) then constant(5) for 10s then constant(1)", &[(35.0, 5.0), (40.0, 1.0)]),
    ];
    for (text, rates) in table {
        for &(at, rate) in rates {
            assert!((shape(text).rate(at) - rate).abs() < 1e-9, "{text} at {at}");
        }
    }
}

#[test]
fn mistakes_are_told_with_their_place_and_a_way_out() {
    let table = [
        ("constant(10000", "expected `)`", "              ^"),
        ("ramp(0, 10, 30)", "`30` is no duration", "            ^^"),
        ("rampe(0, 10, 30s)", "there is no shape `rampe`: there is constant(RATE)", "^^^^^"),
        ("constant(1) then constant(2)", "say how long, as in `constant(1) for 5m", "^^^^^^^^^^^"),
        ("wave(10, 20, 1m)", "the mean is at least the amplitude", "^^^^^^^^^^^^^^^^"),
        ("10000", "a rate alone is written constant(10000)", "     ^"),
        ("constant(-5)", "`-5` is no number", "         ^^"),
        (
            "constant(5) constant(5)",
            "expected `+`, `for`, `then` or the end",
            "            ^^^^^^^^",
        ),
        ("", "expected a shape", "^"),
        ("spike(1s, 5, 0s)", "above zero", "^^^^^^^^^^^^^^^^"),
    ];
    for (text, told, marks) in table {
        let mistake = text.parse::<Shape>().unwrap_err().to_string();
        assert!(mistake.lines().next().unwrap().contains(told), "{mistake}");
        assert_eq!(mistake.lines().last().unwrap(), format!("    {marks}"), "{mistake}");
    }
}

#[test]
fn a_shape_ends_when_its_last_part_does() {
    let ends = [
        ("constant(1)", None),
        ("constant(1) for 5s", Some(5.0)),
        ("ramp(0, 1, 3s) then constant(1) for 5s", Some(8.0)),
        ("ramp(0, 1, 3s) + spike(5s, 1, 1s)", Some(6.0)),
        ("ramp(0, 1, 3s) + constant(1)", None),
    ];
    for (text, end) in ends {
        assert_eq!(shape(text).end(), end, "{text}");
    }
}
