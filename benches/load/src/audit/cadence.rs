use detection::signal::{Decimate, HighPass};
use worker::config::{Auto, Preprocess, Scale};

/// With which samples of a series a scale has an output, told by counting alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// The factor of the low-pass, and the samples that an output of it reaches over.
    pub decimate: Option<(u64, u64)>,
    /// The samples that an output of the high-pass reaches over.
    pub high_pass: Option<u64>,
    /// Samples between the oldest and the newest in a point.
    pub reach: u64,
    /// Every so manieth point enters the window, beginning with the first.
    pub stride: u64,
    /// Points in the window.
    pub window: u64,
    /// Points between two outputs.
    pub hop: u64,
}

impl Cadence {
    /// An output with every sample.
    pub const EACH: Cadence =
        Cadence { decimate: None, high_pass: None, reach: 0, stride: 1, window: 1, hop: 1 };

    /// That of a scale; `None` when it is found out from the values.
    pub fn of(scale: &Scale, preprocess: &Preprocess) -> Option<Cadence> {
        let (Auto::Fixed(window), Auto::Fixed(delay)) = (scale.window, scale.embedding.delay)
        else {
            return None;
        };
        scale.max_radius.fixed()?;
        // The filters know how far they reach; the configuration was checked with them.
        let low_pass = |factor| Some((factor as u64, Decimate::new(factor, 1).ok()?.span()));
        let medians = |samples| Some(HighPass::new(samples, 1).ok()?.span());
        Some(Cadence {
            decimate: preprocess.decimate.and_then(low_pass),
            high_pass: preprocess.high_pass.and_then(medians),
            reach: ((scale.embedding.copies - 1) * delay) as u64,
            stride: scale.stride as u64,
            window: window as u64,
            hop: scale.hop.unwrap_or_else(|| (window / 8).max(1)) as u64,
        })
    }

    /// Whether an output is due with sample `number`, counted from 1.
    pub fn is_due(&self, number: u64) -> bool {
        let entered = self.entered(number);
        entered >= self.window
            && (entered - self.window).is_multiple_of(self.hop)
            && self.entered(number - 1) < entered
    }

    /// Points that have entered the window with the first `samples`.
    fn entered(&self, samples: u64) -> u64 {
        let passed = |samples: u64, span: u64| (samples + 1).saturating_sub(span);
        let decimated = match self.decimate {
            Some((factor, span)) => passed(samples, span).div_ceil(factor),
            None => samples,
        };
        let filtered = self.high_pass.map_or(decimated, |span| passed(decimated, span));
        filtered.saturating_sub(self.reach).div_ceil(self.stride)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use persistence::{Config, Embedding};
    use proptest::prelude::*;
    use worker::config::Radius;

    /// When the worker's own filters and engine give something.
    fn really_due(scale: &Scale, preprocess: &Preprocess, samples: u64) -> Vec<u64> {
        let fixed = |auto| if let Auto::Fixed(n) = auto { n } else { unreachable!() };
        let copies = scale.embedding.copies;
        let embedding = Embedding::new(copies, fixed(scale.embedding.delay), 1, None).unwrap();
        let config = Config::new(copies, fixed(scale.window), 1.0);
        let hop = scale.hop.unwrap();
        let mut engine = persistence::Scale::new(embedding, scale.stride, hop, &config).unwrap();
        let mut decimate = preprocess.decimate.map(|factor| Decimate::new(factor, 1).unwrap());
        let mut high_pass = preprocess.high_pass.map(|n| HighPass::new(n, 1).unwrap());
        let mut due = Vec::new();
        for number in 1..=samples {
            let sample = [(number as f32 * 0.7).sin()];
            let Some(sample) = decimate.as_mut().map_or(Some(&sample[..]), |d| d.push(&sample))
            else {
                continue;
            };
            let sample = sample.to_vec();
            let Some(sample) = high_pass.as_mut().map_or(Some(&sample[..]), |h| h.push(&sample))
            else {
                continue;
            };
            due.extend(engine.push(sample).unwrap().map(|_| number));
        }
        due
    }

    fn scale(window: usize, hop: usize, stride: usize, copies: usize, delay: usize) -> Scale {
        let yaml = format!(
            "kafka: {{brokers: 'x:1', input: i}}\nscales: [{{name: s, window: {window}, hop: {hop}, \
             stride: {stride}, max_radius: 1, embedding: {{copies: {copies}, delay: {delay}}}}}]"
        );
        let config = worker::config::Config::from_yaml(&yaml);
        config.unwrap_or_else(|problems| panic!("{problems}")).scales.remove(0)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn outputs_are_due_when_the_filters_and_the_engine_give_them(
            (window, hop, stride) in (2..12usize, 1..9usize, 1..5usize),
            (copies, delay) in (1..4usize, 1..5usize),
            decimate in proptest::option::of(1..5usize),
            high_pass in proptest::option::of(1..9usize),
        ) {
            let scale = scale(window, hop, stride, copies, delay);
            // The window of a median is odd.
            let high_pass = high_pass.map(|half| 2 * half + 1);
            let preprocess = Preprocess { decimate, high_pass };
            let cadence = Cadence::of(&scale, &preprocess).unwrap();
            let counted: Vec<u64> = (1..=500).filter(|n| cadence.is_due(*n)).collect();
            prop_assert_eq!(counted, really_due(&scale, &preprocess, 500));
        }
    }

    #[test]
    fn what_is_found_out_from_the_values_is_not_foretold() {
        let none = Preprocess::default();
        let mut relative = scale(10, 2, 1, 1, 1);
        relative.max_radius = Radius::Relative(worker::config::Deviations { deviations: 1.0 });
        assert_eq!(Cadence::of(&relative, &none), None);
        let mut auto = scale(10, 2, 1, 1, 1);
        auto.window = Auto::Auto(worker::config::Found::Auto);
        assert_eq!(Cadence::of(&auto, &none), None);
        let mut usual = scale(80, 2, 1, 1, 1);
        usual.hop = None;
        assert_eq!(Cadence::of(&usual, &none).map(|cadence| cadence.hop), Some(10));
    }
}
