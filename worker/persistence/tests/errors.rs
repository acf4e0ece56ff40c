//! What is refused, with what words, and that nothing else changes.

use persistence::batch;
use persistence::{Config, ConfigError, Embedding, Error, PointError, Window};

fn config() -> Config {
    Config::new(2, 3, 1.0)
}

#[test]
fn configurations_that_cannot_be_used() {
    let refused = |config: Config| {
        let error = config.validate().unwrap_err();
        let words = error.to_string();
        assert_eq!(Window::new(&config).unwrap_err().to_string(), words);
        (error, words)
    };
    let radius = |max_radius| Config { max_radius, ..config() };
    let (error, words) = refused(Config { dimension: 0, ..config() });
    assert_eq!(error, ConfigError::Dimension);
    assert_eq!(words, "dimension is 0: a point needs at least one coordinate");
    let (_, words) = refused(Config { dimension: usize::MAX, ..config() });
    assert_eq!(words, "dimension is 18446744073709551615: a point has at most 65536 coordinates");
    let (error, words) = refused(Config { window: 0, ..config() });
    assert_eq!(error, ConfigError::Window(0));
    assert_eq!(words, "window is 0: it must hold from 1 to 16777216 points");
    let (error, _) = refused(Config { window: Config::MAX_WINDOW + 1, ..config() });
    assert_eq!(error, ConfigError::Window(Config::MAX_WINDOW + 1));
    let (error, words) = refused(radius(-0.5));
    assert_eq!(error, ConfigError::MaxRadius(-0.5));
    assert_eq!(words, "max_radius is -0.5: it must be zero, positive or infinite");
    let (_, words) = refused(radius(f32::NAN));
    assert_eq!(words, "max_radius is NaN: it must be zero, positive or infinite");
}

#[test]
fn the_ends_of_what_can_be_used() {
    for max_radius in [0.0, -0.0, f32::MAX, f32::INFINITY] {
        assert_eq!(Config { max_radius, ..config() }.validate(), Ok(()));
    }
    assert_eq!(Config { window: Config::MAX_WINDOW, ..config() }.validate(), Ok(()));
}

#[test]
fn points_that_cannot_be_used_leave_the_window_as_it_was() {
    let mut window = Window::new(&config()).unwrap();
    window.push(&[0.0, 0.0]).unwrap();
    window.push(&[0.5, 0.0]).unwrap();
    let before = window.diagrams();
    let refused = [
        (vec![1.0], "point 2 has 1 coordinates, expected 2"),
        (vec![1.0, 2.0, 3.0], "point 2 has 3 coordinates, expected 2"),
        (vec![], "point 2 has 0 coordinates, expected 2"),
        (vec![1.0, f32::NAN], "point 2 is not finite: coordinate 1 is NaN"),
        (vec![f32::INFINITY, f32::NAN], "point 2 is not finite: coordinate 0 is inf"),
        (vec![0.0, f32::NEG_INFINITY], "point 2 is not finite: coordinate 1 is -inf"),
    ];
    for (point, words) in refused {
        assert_eq!(window.push(&point).unwrap_err().to_string(), words);
        assert_eq!((window.len(), window.seen(), window.diagrams()), (2, 2, before.clone()));
    }
    window.push(&[0.0, 0.5]).unwrap();
    assert_eq!(window.len(), 3);
}

#[test]
fn the_batch_engine_names_the_first_bad_row() {
    let refused = |points: &[f32], config: &Config| {
        let error = batch::diagrams(points, config).unwrap_err();
        assert_eq!(batch::longest_loop(points, config).unwrap_err(), error);
        error
    };
    let incomplete = PointError::Dimension { index: 1, found: 1, expected: 2 };
    assert_eq!(refused(&[0.0, 0.0, 1.0], &config()), Error::Point(incomplete));
    let infinite = f32::INFINITY;
    let not_finite = PointError::NotFinite { index: 1, coordinate: 1, value: infinite };
    let points = [0.0, 0.0, 1.0, infinite, infinite, 0.0, 3.0];
    assert_eq!(refused(&points, &config()), Error::Point(not_finite));
    let dimensionless = Config { dimension: 0, ..config() };
    assert_eq!(refused(&[1.0], &dimensionless), Error::Config(ConfigError::Dimension));
    let negative = Config { max_radius: -1.0, ..config() };
    assert_eq!(refused(&[], &negative), Error::Config(ConfigError::MaxRadius(-1.0)));
}

#[test]
fn embeddings_that_cannot_be_used() {
    let refused = |copies, delay, dimension, channels: Option<&[usize]>| {
        Embedding::new(copies, delay, dimension, channels).unwrap_err().to_string()
    };
    assert_eq!(refused(0, 1, 1, None), ConfigError::Embedding.to_string());
    assert_eq!(refused(1, 0, 1, None), ConfigError::Delay.to_string());
    assert_eq!(refused(1, 1, 0, None), ConfigError::Dimension.to_string());
    assert_eq!(refused(1, 1, 2, Some(&[])), ConfigError::NoChannels.to_string());
    let words = "channel 2 does not exist: samples have 2 channels, numbered from 0";
    assert_eq!(refused(1, 1, 2, Some(&[0, 2])), words);
    let words = "delay 4096 × (embedding 4098 − 1) reaches back over more than 16777216 samples";
    assert_eq!(refused(4098, 4096, 1, None), words);
    assert!(refused(2, usize::MAX, 1, None).starts_with("delay 18446744073709551615"));
    assert!(Embedding::new(4097, 4096, 1, None).is_ok());
    let words = "dimension is 65538: a point has at most 65536 coordinates";
    assert_eq!(refused(32769, 1, 2, None), words);
    assert_eq!(refused(1, 1, 65538, None), words);
    assert_eq!(
        refused(usize::MAX, 1, 2, None),
        ConfigError::TooManyDimensions(usize::MAX).to_string()
    );
}

#[test]
fn samples_that_cannot_be_used_leave_the_embedding_as_it_was() {
    let mut embedding = Embedding::new(2, 1, 2, None).unwrap();
    assert_eq!(embedding.push(&[1.0, 2.0]), Ok(None));
    let error = embedding.push(&[3.0]).unwrap_err();
    assert_eq!(error, PointError::Dimension { index: 1, found: 1, expected: 2 });
    let error = embedding.push(&[3.0, f32::NEG_INFINITY]).unwrap_err();
    let value = f32::NEG_INFINITY;
    assert_eq!(error, PointError::NotFinite { index: 1, coordinate: 1, value });
    assert_eq!(embedding.push(&[5.0, 6.0]), Ok(Some(&[5.0, 6.0, 1.0, 2.0][..])));
}
