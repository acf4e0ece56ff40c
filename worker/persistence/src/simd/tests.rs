//! Every kernel gives the same at every width, and what its definition says.

use std::fmt::Debug;

use super::*;
use crate::metric::squared_distance;
use crate::sparse::tests::clouds::Random;

/// Asks each width; all must give the same.
#[track_caller]
fn agreed<T: PartialEq + Debug>(ask: impl Fn(Simd) -> T) -> T {
    let mut answers = Simd::available().into_iter().map(ask);
    let first = answers.next().unwrap();
    answers.for_each(|answer| assert_eq!(answer, first));
    first
}

/// Points on a coarse lattice, so that many distances are equal, or anywhere.
fn points(random: &mut Random, n: usize, dimension: usize) -> Cloud {
    let mut cloud = Cloud::new(dimension);
    let lattice = random.below(2) == 0;
    for _ in 0..n {
        let point: Vec<f32> = (0..dimension)
            .map(|_| if lattice { random.below(5) as f32 } else { 5.0 * random.uniform() })
            .collect();
        cloud.push(&point);
    }
    cloud
}

fn point(cloud: &Cloud, random: &mut Random) -> Vec<f32> {
    cloud.point(random.below(cloud.len())).to_vec()
}

/// Lengths with ties, infinite ones and gaps.
fn length(random: &mut Random) -> f32 {
    match random.below(8) {
        0 => f32::NAN,
        1 => f32::INFINITY,
        2 => 0.0,
        _ => random.below(12) as f32,
    }
}

fn block(random: &mut Random, slots: usize, first: u32) -> Block {
    let ids = std::array::from_fn(|lane| first + (lane * slots / LANES) as u32);
    Block { ids, lengths: std::array::from_fn(|_| length(random)) }
}

fn owned(random: &mut Random, slots: usize, first: u32) -> Owned {
    let near = block(random, slots, first);
    let state = std::array::from_fn(|_| match random.below(4) {
        0 => random.below(slots) as u32,
        kind => ([0b10 << 30, 0b110 << 29, 0b111 << 29][kind - 1]) + random.below(9) as u32,
    });
    Owned { near, state }
}

#[test]
fn near_is_every_point_within_the_radius() {
    let mut random = Random::new(1);
    for round in 0..200 {
        let n = 1 + random.below(90);
        let cloud = points(&mut random, n, 1 + round % 9);
        let at = point(&cloud, &mut random);
        let to = random.below(cloud.len() + 1);
        let from = random.below(to + 1);
        let max = random.below(40) as f32;
        let found = agreed(|simd| {
            let (mut slots, mut lengths) = (Vec::new(), Vec::new());
            simd.near(&cloud, from..to, &at, max, &mut slots, &mut lengths);
            (slots, lengths)
        });
        let distance = |i: &usize| squared_distance(cloud.point(*i), &at);
        let within: Vec<usize> = (from..to).filter(|i| distance(i) <= max).collect();
        assert_eq!(found.1, within.iter().map(distance).collect::<Vec<f32>>());
        assert_eq!(found.0, within.iter().map(|&i| i as u32).collect::<Vec<u32>>());
    }
}

#[test]
fn lunes_of_new_edges_hold_what_is_nearer_to_both_ends() {
    let mut random = Random::new(2);
    for round in 0..200 {
        let n = 1 + random.below(70);
        let cloud = points(&mut random, n, 1 + round % 9);
        let new = point(&cloud, &mut random);
        let lengths: Vec<f32> = (0..n).map(|i| squared_distance(cloud.point(i), &new)).collect();
        let mut rows = vec![Row([f32::NAN; LANES]); n.div_ceil(LANES)];
        lengths.iter().enumerate().for_each(|(i, &l)| rows[i / LANES].0[i % LANES] = l);
        for i in 0..n {
            let ask = |cones| {
                agreed(|simd| {
                    let mut members = Vec::new();
                    (simd.lune(&cloud, &rows, i, cones, &mut members), members)
                })
            };
            let near =
                |a: usize, b: usize| squared_distance(cloud.point(a), cloud.point(b)) <= lengths[i];
            let nearer = |j: &usize| (lengths[*j], *j) < (lengths[i], i) && near(i, *j);
            let lune: Vec<usize> = (0..n).filter(nearer).collect();
            let apex = lune.iter().rev().find(|&&c| lune.iter().all(|&j| near(c, j)));
            let expected = match (lune.last(), apex) {
                (None, _) => Lune::Empty,
                (_, Some(&apex)) => Lune::Cone(apex),
                _ => Lune::Open,
            };
            let (found, masks) = ask(true);
            let members = (0..n).filter(|&j| masks[j / LANES] >> (j % LANES) & 1 == 1);
            assert_eq!((found, members.collect::<Vec<_>>()), (expected, lune.clone()));
            assert_eq!(ask(false).0, lune.last().map_or(Lune::Empty, |&j| Lune::Cone(j)));
        }
    }
}

#[test]
fn edges_gain_the_new_point_and_hold_the_leaving_one() {
    let mut random = Random::new(3);
    for _ in 0..300 {
        let slots = 1 << (4 + random.below(3));
        let list: Vec<Owned> =
            (0..4).map(|i| owned(&mut random, slots, 7 + (i * slots) as u32)).collect();
        let distances: Vec<f32> = (0..slots)
            .map(|_| Some(length(&mut random)).filter(|l| !l.is_nan()).unwrap_or(f32::INFINITY))
            .collect();
        let own = random.below(12) as f32;
        let distance = |id: u32| distances[id as usize % slots];
        let entries = || {
            let lanes = (0..4 * LANES).map(|at| (&list[at / LANES], at % LANES));
            lanes.map(|(o, lane)| (o.near.ids[lane], o.near.lengths[lane], o.state[lane]))
        };
        let where_holds = |test: &dyn Fn(u32, f32, u32) -> bool| -> Vec<u32> {
            let entries = entries().zip(0..).filter(|((id, l, s), _)| test(*id, *l, *s));
            entries.map(|(_, at)| at).collect()
        };
        let gaining = agreed(|simd| {
            let mut positions = Vec::new();
            simd.gaining(&list, &distances, own, &mut positions);
            positions
        });
        let expected = where_holds(&|id, length, state| {
            let still = if state < 1 << 31 { distance(state) < length } else { state >= 7 << 29 };
            own < length && distance(id) < length && !still
        });
        assert_eq!(gaining, expected);
        let holding = agreed(|simd| {
            let mut positions = Vec::new();
            simd.holding(&list, &distances, own, &mut positions);
            positions
        });
        assert_eq!(holding, where_holds(&|id, l, _| own <= l && distance(id) <= l));
    }
}

#[test]
fn members_are_nearer_to_both_ends_in_the_total_order() {
    let mut random = Random::new(4);
    for round in 0..300 {
        let dimension = 1 + round % 9;
        let cloud = points(&mut random, 64, dimension);
        let list: Vec<Owned> = (0..3).map(|i| owned(&mut random, 64, 5 + 64 * i)).collect();
        let blocks: Vec<Block> = list.iter().map(|o| o.near.clone()).collect();
        let other = point(&cloud, &mut random);
        let search = Search {
            length: random.below(12) as f32,
            tie: random.below(200) as u32,
            other_tie: random.below(200) as u32,
            other: &other,
        };
        let flat: Vec<f32> = (0..64).flat_map(|i| cloud.point(i).to_vec()).collect();
        let found = agreed(|simd| {
            let (mut all, mut owned) = (Vec::new(), Vec::new());
            simd.members(&blocks, &flat, 63, search, &mut all);
            simd.members_owned(&list, &flat, 63, search, &mut owned);
            assert_eq!(all, owned);
            all
        });
        let before = |length: f32, id: u32, tie: u32| {
            length < search.length || length == search.length && id < tie
        };
        let entries = blocks.iter().flat_map(|b| b.ids.into_iter().zip(b.lengths));
        let members = entries.filter(|&(id, length)| {
            let distance = squared_distance(cloud.point(id as usize % 64), &other);
            before(length, id, search.tie) && before(distance, id, search.other_tie)
        });
        assert_eq!(found, members.map(|(id, _)| id).collect::<Vec<u32>>());
    }
}

#[test]
fn adjacent_members_of_a_lune_are_nearer_than_the_edge() {
    let mut random = Random::new(5);
    for round in 0..300 {
        let n = 1 + random.below(150);
        let cloud = points(&mut random, n, 1 + round % 9);
        let ties = random.below(n + 1);
        let length = random.below(60) as f32;
        let (apex, rows) = agreed(|simd| {
            let mut rows = Vec::new();
            (simd.adjacent(&cloud, length, ties, &mut rows), rows)
        });
        let near = |i: usize, j: usize| {
            let distance = squared_distance(cloud.point(i), cloud.point(j));
            i == j || distance < length || distance == length && i.max(j) < ties
        };
        assert_eq!(apex, (0..n).rev().find(|&i| (0..n).all(|j| near(i, j))));
        for i in apex.unwrap_or(0)..n {
            let row = &rows[i * n.div_ceil(64)..][..n.div_ceil(64)];
            assert!((0..n).all(|j| (row[j / 64] >> (j % 64) & 1 == 1) == near(i, j)));
        }
    }
}

#[test]
fn an_id_is_found_in_its_lane() {
    let ids = std::array::from_fn(|lane| 3 * lane as u32 + 1);
    for id in 0..60 {
        let expected = ids.iter().position(|&i| i == id);
        assert_eq!(agreed(|simd| simd.find(&ids, id)), expected);
    }
}
