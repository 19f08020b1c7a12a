//! Pattern letters to items: what `DateTimeFormatterBuilder.appendPattern` makes of them, and what Spark refuses before.

use super::number::{Following, Number, Sign};
use super::offset::OffsetForm;
use super::{Field, Item, Style};

const QUOTE: char = '\'';

pub(super) fn compile(pattern: &str, for_parsing: bool) -> Result<Vec<Item>, String> {
    check(pattern, for_parsing)?;
    let with_era = unquoted(pattern).any(|character| character == 'G');
    let mut builder = Builder { stack: vec![Vec::new()], adjacent: None };
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_ascii_alphabetic() {
            let mut count = 1;
            while characters.next_if_eq(&character).is_some() {
                count += 1;
            }
            builder.letters(character, count, with_era, for_parsing)?;
        } else {
            match character {
                QUOTE => builder.quoted(&mut characters)?,
                '[' => builder.open(),
                ']' => builder.close()?,
                '{' | '}' | '#' => {
                    return Err(format!("Pattern includes reserved character: '{character}'"));
                }
                literal => builder.append(Item::Literal(literal)),
            }
        }
    }
    while builder.stack.len() > 1 {
        builder.close()?;
    }
    Ok(builder.stack.pop().unwrap_or_default())
}

/// The characters outside quotes.
fn unquoted(pattern: &str) -> impl Iterator<Item = char> + '_ {
    pattern.split(QUOTE).step_by(2).flat_map(str::chars)
}

/// `DateTimeFormatterHelper.convertIncompatiblePattern`.
fn check(pattern: &str, for_parsing: bool) -> Result<(), String> {
    for part in pattern.split(QUOTE).step_by(2) {
        for letter in part.chars() {
            match letter {
                'Y' | 'W' | 'w' | 'u' | 'e' | 'c' => {
                    return Err(format!(
                        "All week-based patterns are unsupported since Spark 3.0, detected: {letter}, Please use the SQL \
                         function EXTRACT instead"
                    ));
                }
                'A' | 'B' | 'n' | 'N' | 'p' => return Err(format!("Illegal pattern character: {letter}")),
                'E' | 'F' | 'q' | 'Q' if for_parsing => return Err(format!("Illegal pattern character: {letter}")),
                _ => {}
            }
        }
        for letter in ['G', 'M', 'L', 'E', 'Q', 'q'] {
            if part.contains(&letter.to_string().repeat(5)) {
                return Err(format!("Too many pattern letters: {letter}"));
            }
        }
        if part.contains(&"y".repeat(7)) {
            return Err("Too many pattern letters: y".to_owned());
        }
    }
    Ok(())
}

struct Builder {
    /// Items of the optional part that is open, within those around it.
    stack: Vec<Vec<Item>>,
    /// The number in the last list that numbers of fixed width may follow.
    adjacent: Option<usize>,
}

impl Builder {
    fn append(&mut self, item: Item) {
        self.adjacent = None;
        self.push(item);
    }

    fn push(&mut self, item: Item) -> usize {
        match self.stack.last_mut() {
            Some(items) => {
                items.push(item);
                items.len() - 1
            }
            None => 0,
        }
    }

    fn open(&mut self) {
        self.adjacent = None;
        self.stack.push(Vec::new());
    }

    fn close(&mut self) -> Result<(), String> {
        if self.stack.len() < 2 {
            return Err("Pattern invalid as it contains ] without previous [".to_owned());
        }
        if let Some(items) = self.stack.pop()
            && !items.is_empty()
        {
            self.push(Item::Optional(items));
        }
        self.adjacent = None;
        Ok(())
    }

    /// Two quotes stand for one, in quotes and outside.
    fn quoted(&mut self, characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<(), String> {
        let mut any = false;
        while let Some(character) = characters.next() {
            if character == QUOTE && characters.next_if_eq(&QUOTE).is_none() {
                if !any {
                    self.append(Item::Literal(QUOTE));
                }
                return Ok(());
            }
            any = true;
            self.append(Item::Literal(character));
        }
        Err("Pattern ends with an incomplete string literal".to_owned())
    }

    fn number(&mut self, field: Field, number: Number) {
        let last = self.stack.last_mut();
        let base = self.adjacent.and_then(|index| last?.get_mut(index));
        let Some(Item::Number(_, base)) = base else {
            self.adjacent = Some(self.push(Item::Number(field, number)));
            return;
        };
        if number.is_fixed_width() {
            base.following = match base.following {
                Following::Digits(digits) => Following::Digits(digits + number.max),
                _ => Following::Digits(number.max),
            };
            self.push(Item::Number(field, Number { following: Following::Fixed, ..number }));
        } else {
            base.following = Following::Fixed;
            self.adjacent = Some(self.push(Item::Number(field, number)));
        }
    }

    fn fraction(&mut self, digits: usize, for_parsing: bool) {
        if for_parsing {
            // As many as there are, up to those of the pattern.
            self.append(Item::Fraction { min: 1, max: digits });
            return;
        }
        self.append(Item::Fraction { min: digits, max: digits });
    }

    fn letters(&mut self, letter: char, count: usize, with_era: bool, for_parsing: bool) -> Result<(), String> {
        let too_many = || Err(format!("Too many pattern letters: {letter}"));
        let style = if count == 4 { Style::Full } else { Style::Short };
        match letter {
            'y' => {
                let field = if with_era { Field::YearOfEra } else { Field::Year };
                let number = match count {
                    2 => Number { reduced: true, ..Number::fixed(2) },
                    1 | 3 => Number::new(count, 19, Sign::Normal),
                    _ => Number::new(count, 19, Sign::ExceedsPad),
                };
                self.number(field, number);
            }
            'M' | 'L' | 'Q' | 'q' => {
                let field = if matches!(letter, 'M' | 'L') { Field::Month } else { Field::Quarter };
                match count {
                    1 => self.number(field, Number::any()),
                    2 => self.number(field, Number::fixed(2)),
                    _ => self.append(Item::Text(field, style)),
                }
            }
            'E' => self.append(Item::Text(Field::DayOfWeek, style)),
            'G' => self.append(Item::Text(Field::Era, style)),
            'a' if count == 1 => self.append(Item::Text(Field::AmPm, Style::Short)),
            'd' | 'H' | 'k' | 'h' | 'K' | 'm' | 's' if count <= 2 => {
                let field = match letter {
                    'd' => Field::Day,
                    'H' => Field::Hour,
                    'k' => Field::ClockHour,
                    'h' => Field::ClockHourOfAmPm,
                    'K' => Field::HourOfAmPm,
                    'm' => Field::Minute,
                    _ => Field::Second,
                };
                self.number(field, if count == 1 { Number::any() } else { Number::fixed(2) });
            }
            'D' if count == 1 => self.number(Field::DayOfYear, Number::any()),
            'D' if count <= 3 => self.number(Field::DayOfYear, Number::new(count, 3, Sign::None)),
            'F' if count == 1 => self.number(Field::AlignedDayOfWeek, Number::any()),
            'S' if count <= 9 => self.fraction(count, for_parsing),
            'S' => return Err(format!("Maximum width must be between 1 and 9 inclusive but was {count}")),
            'V' if count == 2 => self.append(Item::ZoneId),
            'V' => return Err("Pattern letter count must be 2: V".to_owned()),
            'v' if count == 1 || count == 4 => self.append(Item::ZoneName(style)),
            'v' => return Err("Wrong number of pattern letters: v".to_owned()),
            'z' if count <= 4 => self.append(Item::ZoneName(style)),
            'O' if count == 1 || count == 4 => self.append(Item::LocalizedOffset(style)),
            'O' => return Err("Pattern letter count must be 1 or 4: O".to_owned()),
            'Z' => match count {
                1..=3 => self.append(Item::Offset(OffsetForm::without_z(2))),
                4 => self.append(Item::LocalizedOffset(Style::Full)),
                5 => self.append(Item::Offset(OffsetForm::with_z(5))),
                _ => return too_many(),
            },
            'X' if count <= 5 => self.append(Item::Offset(OffsetForm::with_z(count))),
            'x' if count <= 5 => self.append(Item::Offset(OffsetForm::without_z(count))),
            'a' | 'd' | 'H' | 'k' | 'h' | 'K' | 'm' | 's' | 'D' | 'F' | 'z' | 'X' | 'x' => return too_many(),
            _ => return Err(format!("Unknown pattern letter: {letter}")),
        }
        Ok(())
    }
}
