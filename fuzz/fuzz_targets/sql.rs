//! Any text as SQL: it is planned or refused, in every mode and as a batch, the same way twice; a refusal tells a place
//! that the text has.
#![no_main]

use brooklet_processor::{OutputMode, PlanSettings, plan_all};
use libfuzzer_sys::fuzz_target;

const MODES: [Option<OutputMode>; 4] =
    [Some(OutputMode::Update), Some(OutputMode::Complete), Some(OutputMode::Append), None];

fuzz_target!(|input: &str| {
    for mode in MODES {
        let settings = PlanSettings { mode, batch: mode.is_none(), ..PlanSettings::default() };
        let planned =
            |sql: &str| plan_all(sql, &settings).map(|plans| plans.iter().map(ToString::to_string).collect::<Vec<_>>());
        let first = planned(input);
        assert_eq!(planned(input), first, "a second time differs");
        if let Err(error) = first {
            let lines = input.split('\n').count() as u64;
            assert!((1..=lines).contains(&error.line), "{error}");
            assert!(error.column >= 1 && !error.what.is_empty() && !error.instead.is_empty(), "{error}");
        }
    }
});
