use super::*;

#[test]
fn days_and_dates_agree() {
    for (days, year, month, day) in [
        (0, 1970, 1, 1),
        (-1, 1969, 12, 31),
        (19_724, 2024, 1, 2),
        (11_016, 2000, 2, 29),
        (-719_162, 1, 1, 1),
        (-719_528, 0, 1, 1),
        (i32::MAX, 5_881_580, 7, 11),
        (i32::MIN, -5_877_641, 6, 23),
    ] {
        let civil = Civil { year, month, day };
        assert_eq!(Civil::of_days(days), civil);
        assert_eq!(days_of_civil(i64::from(year), month, day), Some(days));
    }
    proptest::proptest!(|(days: i32)| {
        let Civil { year, month, day } = Civil::of_days(days);
        proptest::prop_assert_eq!(days_of_civil(i64::from(year), month, day), Some(days));
    });
}

#[test]
fn the_calendar_knows_weeks_and_months() {
    let days = |text: &str| parse_date(text.as_bytes()).unwrap();
    assert_eq!(day_of_week(days("2024-01-01")), 1);
    assert_eq!(day_of_week(days("1969-12-28")), 7);
    assert_eq!(day_of_year(days("2024-12-31")), 366);
    for (date, week) in [
        ("2024-12-30", (2025, 1)),
        ("2024-12-29", (2024, 52)),
        ("2021-01-03", (2020, 53)),
        ("2021-01-04", (2021, 1)),
        ("2022-01-02", (2021, 52)),
    ] {
        assert_eq!(iso_week(days(date)), week, "{date}");
    }
    for (date, months, later) in [
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-01-31", -2, "2023-11-30"),
        ("2024-02-29", 12, "2025-02-28"),
        ("0001-01-15", -1, "0000-12-15"),
    ] {
        assert_eq!(add_months(days(date), months), Some(days(later)), "{date}");
    }
    assert_eq!(add_months(i32::MAX, 1), None);
}

#[test]
fn what_is_written_is_read_again() {
    proptest::proptest!(|(micros in -60_000_000_000_000_000i64..9_000_000_000_000_000_000)| {
        let mut text = Vec::new();
        write_timestamp(micros, &mut text);
        proptest::prop_assert_eq!(parse_timestamp(&text), Some(micros));
        let days = days_of_micros(micros);
        text.clear();
        write_date(days, &mut text);
        proptest::prop_assert_eq!(parse_date(&text), Some(days));
    });
}

#[test]
fn any_text_is_read_without_harm() {
    let mut formats = ["yyyyMMddHHmmssSSS", "d/M/y G h:mm a z", "[[yyyy-]D] HH XXXXX VV", "O 'at' yy"]
        .into_iter()
        .map(|pattern| Pattern::for_parsing(pattern).unwrap());
    let patterns: Vec<Pattern> = formats.by_ref().collect();
    proptest::proptest!(|(text in "[-+0-9TZ:./ a-zA-Z\u{e9}]{0,30}")| {
        let _ = (json_timestamp(text.as_bytes()), json_date(text.as_bytes()));
        for pattern in &patterns {
            let _ = pattern.parse_timestamp(text.as_bytes());
        }
    });
}
