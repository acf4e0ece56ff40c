//! The command `diagrams`, as its user sees it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const SQUARE: &str = "0,0\n1,0\n1,1\n0,1\n";

const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

fn file(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = Path::new(FOLDER).join(name);
    fs::write(&path, content).unwrap();
    path
}

fn command(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_streaming-tda-worker"));
    command.arg("diagrams").args(arguments.split_whitespace()).current_dir(FOLDER);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &str, input: &str) -> Output {
    let mut child = command(arguments).spawn().unwrap();
    // A command that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[track_caller]
fn prints(arguments: &str, input: &str, expected: &str) {
    let output = run(arguments, input);
    assert_eq!(text(output.stderr), "");
    assert_eq!(text(output.stdout), expected);
    assert!(output.status.success());
}

#[track_caller]
fn refuses(arguments: &str, input: &str, expected: &str) {
    let output = run(arguments, input);
    assert_eq!(text(output.stderr), format!("error: {expected}\n"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_square_is_one_loop() {
    prints(
        "- --window 4 --hop 1 --max-radius 2",
        SQUARE,
        "{\"end\":3,\"window\":4,\"diagrams\":\
         [[[0.0,1.0],[0.0,1.0],[0.0,1.0],[0.0,null]],[[1.0,1.4142135]]]}\n",
    );
    prints(
        "- --window 4 --hop 1 --max-radius 2 --max-dimension 0",
        SQUARE,
        "{\"end\":3,\"window\":4,\"diagrams\":[[[0.0,1.0],[0.0,1.0],[0.0,1.0],[0.0,null]]]}\n",
    );
}

/// The edges of length √2 have the squared length 2; the `f32` square of 1.4142135 is less.
#[test]
fn an_edge_as_long_as_the_radius_is_in() {
    let at = |radius: &str, h0: &str, h1: &str| {
        for engine in ["incremental", "batch"] {
            prints(
                &format!("- --window 4 --hop 1 --max-radius {radius} --engine {engine}"),
                SQUARE,
                &format!("{{\"end\":3,\"window\":4,\"diagrams\":[[{h0}],[{h1}]]}}\n"),
            );
        }
    };
    let apart = "[0.0,null],[0.0,null],[0.0,null],[0.0,null]";
    let joined = "[0.0,1.0],[0.0,1.0],[0.0,1.0],[0.0,null]";
    at("0.99999994", apart, "");
    at("1", joined, "[1.0,null]");
    at("1.4142135", joined, "[1.0,null]");
    at("1.4142137", joined, "[1.0,1.4142135]");
    at("inf", joined, "[1.0,1.4142135]");
    at("0", apart, "");
}

#[test]
fn the_first_emission_is_a_full_window_and_then_comes_one_every_hop() {
    prints(
        "- --window 2 --hop 3 --max-radius 9 --max-dimension 0",
        "1\n2\n4\n8\n16\n20\n25\n31\n",
        "{\"end\":1,\"window\":2,\"diagrams\":[[[0.0,1.0],[0.0,null]]]}\n\
         {\"end\":4,\"window\":2,\"diagrams\":[[[0.0,8.0],[0.0,null]]]}\n\
         {\"end\":7,\"window\":2,\"diagrams\":[[[0.0,6.0],[0.0,null]]]}\n",
    );
}

/// Samples 0 3 4 7 give the points (4, 0) and (7, 3), numbered from the first of them.
#[test]
fn a_series_is_embedded_with_its_delay() {
    let expected = "{\"end\":1,\"window\":2,\"diagrams\":[[[0.0,4.2426405],[0.0,null]]]}\n";
    let options = "--window 2 --hop 1 --max-radius 9 --max-dimension 0 --delay 2 --embedding 2";
    prints(&format!("- {options}"), "0\n3\n4\n7\n", expected);
    prints(&format!("- --channels 1 {options}"), "date,x\nMon,0\nTue,3\nWed,4\n,7\n", expected);
}

#[test]
fn csv_may_have_names_quotes_blanks_and_any_line_end() {
    let expected = text(run("- --window 4 --hop 1 --max-radius 2", SQUARE).stdout);
    for input in [
        "x,y\n0,0\n1,0\n1,1\n0,1\n",
        "\u{feff}\"x\",\"y\"\r\n\r\n 0 , 0\r\n1,0\r\n\"1\",1\r\n0,1",
        "# x,# y\n\n0,-0.0\n1e0,.0\n+1,1.\n0,1\n\n\n",
    ] {
        prints("- --window 4 --hop 1 --max-radius 2", input, &expected);
    }
}

fn npy(description: &str, fortran: bool, shape: &str, data: impl AsRef<[u8]>) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header =
        format!("{{'descr': '{description}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data.as_ref()].concat()
}

fn bytes<const N: usize>(values: &[f64], encode: impl Fn(f64) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&v| encode(v)).collect()
}

#[test]
fn numpy_arrays_are_read_in_every_layout() {
    let rows = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0];
    let columns = [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0];
    let single = |v: f64| (v as f32).to_le_bytes();
    let expected = text(run("- --window 4 --hop 1 --max-radius 2", SQUARE).stdout);
    for (name, content) in [
        ("rows_f4.npy", npy("<f4", false, "(4, 2)", bytes(&rows, single))),
        ("rows_f8.npy", npy("<f8", false, "(4, 2)", bytes(&rows, f64::to_le_bytes))),
        ("big_endian.npy", npy(">f8", false, "(4, 2)", bytes(&rows, f64::to_be_bytes))),
        ("columns_f4.npy", npy("<f4", true, "(4, 2)", bytes(&columns, single))),
    ] {
        let path = file(name, content);
        let path = path.display();
        prints(&format!("{path} --window 4 --hop 1 --max-radius 2"), "", &expected);
        let swapped = format!("{path} --window 4 --hop 1 --max-radius 2 --channels 1,0");
        prints(&swapped, "", &expected);
    }
    let series = npy("<f8", false, "(4,)", bytes(&[0.0, 3.0, 4.0, 7.0], f64::to_le_bytes));
    let path = file("series.npy", series);
    prints(
        &format!("{} --window 2 --hop 2 --max-radius 9 --max-dimension 0", path.display()),
        "",
        "{\"end\":1,\"window\":2,\"diagrams\":[[[0.0,3.0],[0.0,null]]]}\n\
         {\"end\":3,\"window\":2,\"diagrams\":[[[0.0,3.0],[0.0,null]]]}\n",
    );
}

/// Points of a random walk on a small lattice: ties and copies everywhere.
fn lattice_walk(samples: usize) -> String {
    let mut state = 7_u64;
    let mut step = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % 3
    };
    let (mut x, mut y, mut lines) = (0, 0, String::from("x,y\n"));
    for _ in 0..samples {
        (x, y) = ((x + step()) % 6, (y + step()) % 6);
        lines += &format!("{x},{y}\n");
    }
    lines
}

#[test]
fn every_engine_and_every_number_of_threads_prints_the_same_bytes() {
    let walk = lattice_walk(700);
    for options in [
        "--window 30 --hop 1 --max-radius 2",
        "--window 20 --hop 7 --max-radius 3 --delay 3 --embedding 2 --channels 1",
        "--window 1 --hop 2 --max-radius 1",
        "--window 50 --hop 90 --max-radius inf",
    ] {
        let reference = text(run(&format!("- {options} --engine batch"), &walk).stdout);
        assert!(reference.len() > 500, "{options} compares next to nothing");
        for engine in ["incremental", "batch"] {
            for threads in [1, 2, 5] {
                let arguments = format!("- {options} --engine {engine} --threads {threads}");
                let lines = text(run(&arguments, &walk).stdout);
                let differs =
                    lines.lines().zip(reference.lines()).find(|(ours, other)| ours != other);
                assert_eq!(differs, None, "{arguments}");
                assert_eq!(lines.len(), reference.len(), "{arguments}");
            }
        }
    }
}

#[test]
fn an_emission_is_printed_as_soon_as_its_last_point_is_read() {
    let mut child = command("- --window 4 --hop 1 --max-radius 2").spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    input.write_all(SQUARE.as_bytes()).unwrap();
    assert!(lines.next().unwrap().unwrap().starts_with("{\"end\":3,"));
    input.write_all(b"5,5\n").unwrap();
    assert!(lines.next().unwrap().unwrap().starts_with("{\"end\":4,"));
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for threads in [1, 3] {
        let arguments = format!("- --window 4 --hop 1 --max-radius 2 --threads {threads}");
        let mut child = command(&arguments).spawn().unwrap();
        drop(child.stdout.take());
        let _ = child.stdin.take().unwrap().write_all(SQUARE.repeat(2000).as_bytes());
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(output.stderr), "");
        assert!(output.status.success());
    }
}

#[test]
fn what_was_computed_before_a_bad_line_is_written() {
    for threads in [1, 2] {
        let arguments = format!("- --window 4 --hop 1 --max-radius 2 --threads {threads}");
        let output = run(&arguments, &format!("{SQUARE}1,x\n"));
        assert_eq!(text(output.stdout).lines().count(), 1);
        assert!(text(output.stderr).starts_with("error: standard input, line 5, channel 1: \"x\""));
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn output_goes_to_a_file() {
    let path = Path::new(FOLDER).join("out.jsonl");
    let options = "--window 4 --hop 1 --max-radius 2";
    prints(&format!("- {options} --output {}", path.display()), SQUARE, "");
    let expected = run(&format!("- {options}"), SQUARE).stdout;
    assert_eq!(fs::read(&path).unwrap(), expected);
}

#[test]
fn the_input_is_never_overwritten() {
    let path = file("precious.csv", SQUARE);
    refuses(
        "precious.csv --window 4 --hop 1 --max-radius 2 --output ./precious.csv",
        "",
        "--output ./precious.csv is the input itself; name another file",
    );
    assert_eq!(fs::read_to_string(path).unwrap(), SQUARE);
}

#[test]
fn a_series_shorter_than_a_window_is_said_so() {
    let output = run("- --window 5 --hop 1 --max-radius 2", SQUARE);
    assert_eq!(text(output.stdout), "");
    let note = "note: standard input has 4 samples, the first emission needs 5\n";
    assert_eq!(text(output.stderr), note);
    assert!(output.status.success());
}

#[test]
fn bad_input_is_refused_with_its_place() {
    let stdin = |input: &str, expected: &str| {
        refuses("- --window 2 --hop 1 --max-radius 2", input, &format!("standard input{expected}"));
    };
    let not_a_number = "is not a number; repair it, or choose other channels, which count from 0 \
                        (only a first line without any number is taken for names)";
    stdin("", " holds no points; give it at least one window of them");
    stdin("x,y\n", " holds no points; give it at least one window of them");
    stdin("x,1\n", &format!(", line 1, channel 0: \"x\" {not_a_number}"));
    stdin("1,2\n3,\n", &format!(", line 2, channel 1: \"\" {not_a_number}"));
    let blank = "is blank, but samples come behind it; fill in what is missing, or remove the line";
    for missing in ["", "\"\"", "  \r"] {
        stdin(&format!("x\n1\n{missing}\n3\n"), &format!(", line 3 {blank}"));
    }
    stdin("1,2\n3,4\n\n\n5,6\n", &format!(", line 3 {blank}"));
    let commas = "is not a number; separate cells by commas, not by";
    stdin("x;y\n1;2\n", &format!(", line 2, channel 0: \"1;2\" {commas} semicolons"));
    stdin("x\n1\t2\n", &format!(", line 2, channel 0: \"1\\t2\" {commas} tabs"));
    stdin("1 2\n3  4\n", &format!(", line 2, channel 0: \"3  4\" {commas} blanks"));
    stdin(
        "x\n1\x002\x00\n",
        ", line 2, channel 0: it is not UTF-8 (UTF-16, perhaps); write it as UTF-8 or ASCII",
    );
    stdin(
        "\r\nx,y\r\n\r\n\r\n1,\"2\"\r\n3,\"",
        &format!(", line 6, channel 1: \"\" {not_a_number}"),
    );
    stdin("1,2\n3,x y\n", &format!(", line 2, channel 1: \"x y\" {not_a_number}"));
    stdin(
        "x,y\n1,2\n3\n",
        ", line 3 has 1 cell, expected 2 as in the lines before; repair it (commas separate \
         cells, and a point the decimals)",
    );
    stdin("1\nNaN\n", ", line 2, channel 0: NaN is not finite; remove or repair that row");
    stdin("-inf\n", ", line 1, channel 0: -inf is not finite; remove or repair that row");
    stdin(
        "1\n-4e38\n",
        ", line 2, channel 0: -4e38 does not fit in a float32 (at most 3.4028235e38); \
         rescale that column",
    );
    refuses(
        "- --window 2 --hop 1 --max-radius 2 --channels 0,2",
        "1,2\n",
        "standard input has 2 columns: channel 2 does not exist, they count from 0",
    );
}

#[test]
fn files_that_cannot_be_read_are_refused() {
    let refuse = |name: &str, expected: &str| {
        refuses(&format!("{name} --window 2 --hop 1 --max-radius 2"), "", expected);
    };
    refuse(
        "nowhere.csv",
        "cannot open nowhere.csv: No such file or directory (os error 2); name an existing \
         file, or - for standard input",
    );
    refuse(".", "cannot open .: is a directory; name an existing file, or - for standard input");
    file("x.parquet", "");
    refuse(
        "x.parquet",
        "x.parquet: unknown kind of file; name it .csv or .npy, or pipe it in as CSV and name \
         it -",
    );
    file("short.npy", npy("<f4", false, "(4, 2)", [0; 31]));
    let size = fs::metadata(Path::new(FOLDER).join("short.npy")).unwrap().len();
    let whole = size + 1;
    refuse(
        "short.npy",
        &format!("short.npy was cut off: it has {size} of {whole} bytes; write it again"),
    );
    let unusable = |header: Vec<u8>, reason: &str| {
        file("x.npy", header);
        refuse("x.npy", &format!("x.npy is not a NumPy array that can be read: {reason}"));
    };
    let beginning = "it does not begin as one; write it with numpy.save";
    unusable(b"1,2\n".to_vec(), beginning);
    unusable(b"\x93NUMPZ\x01\x00".to_vec(), beginning);
    let integers = "it holds '<i8'; save it with .astype('float32')";
    unusable(npy("<i8", false, "(1,)", [0; 8]), integers);
    let cube = "its shape is [1, 1, 1]; save it with one point a row";
    unusable(npy("<f4", false, "(1, 1, 1)", [0; 4]), cube);
    let mut nan = bytes(&[1.0, 2.0, 3.0, f64::NAN], f64::to_le_bytes);
    file("nan.npy", npy("<f8", false, "(2, 2)", &nan));
    refuse(
        "nan.npy",
        "nan.npy, row 1, channel 1, from 0: NaN is not finite; remove or repair that row",
    );
    nan.clear();
    file("nothing.npy", npy("<f8", false, "(0, 2)", &nan));
    refuse("nothing.npy", "nothing.npy holds no points; give it at least one window of them");
}

#[test]
fn damaged_headers_do_no_harm() {
    let nested = "(".repeat(60_000);
    for (i, content) in [
        npy("<f4", false, &nested, []),
        npy("<f4", false, "(1152921504606846976, 1152921504606846976)", []),
        npy("<f4", true, "(0, 1152921504606846976)", []),
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff{".to_vec(),
        b"\x93NUMPY\x09\x00\x10\x00".to_vec(),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("damaged{i}.npy");
        file(&name, content);
        let output = run(&format!("{name} --window 2 --hop 1 --max-radius 2"), "");
        assert_eq!(output.status.code(), Some(1), "{name}: {}", text(output.stderr));
    }
}

#[test]
fn unusable_options_are_refused_before_reading() {
    refuses(
        "nowhere.csv --window 0 --hop 1 --max-radius 1",
        "",
        "window is 0: it must hold from 1 to 16777216 points",
    );
    for (options, expected) in [
        ("--window 2 --hop 0 --max-radius 1", "hop is 0"),
        ("--window 2 --hop 1 --max-radius -1", "max_radius is -1"),
        ("--window 2 --hop 1 --max-radius nan", "max_radius is NaN"),
        ("--window 2 --hop 1 --max-radius 1 --delay 0 --embedding 2", "delay is 0"),
        ("--window 2 --hop 1 --max-radius 1 --embedding 0", "embedding is 0"),
        ("--window 2 --hop 1 --max-radius 1 --embedding 9999999999", "dimension is 9999999999"),
        ("--window 2 --hop 1 --max-radius 1 --embedding 9 --delay 99999999999", "delay"),
    ] {
        let error = text(run(&format!("nowhere.csv {options}"), "").stderr);
        assert!(error.starts_with(&format!("error: {expected}")), "{options}: {error}");
    }
    let needed = "--window 2 --hop 1 --max-radius 1";
    for (options, expected) in [
        ("--window -5 --hop 1 --max-radius 1".to_owned(), "it must be a whole number"),
        (format!("{needed} --channels x"), "name columns by their numbers"),
        (format!("{needed} --threads 0"), "it must be from 1 to 256"),
        (format!("{needed} --threads 100000"), "it must be from 1 to 256"),
        (format!("{needed} --delay 3"), "--embedding <M>"),
    ] {
        let output = run(&format!("nowhere.csv {options}"), "");
        let error = text(output.stderr);
        assert!(output.status.code() == Some(2) && error.contains(expected), "{options}: {error}");
        assert!(!error.contains("tip:"), "{options}: {error}");
    }
}
