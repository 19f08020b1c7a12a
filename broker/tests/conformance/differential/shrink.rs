//! The shortest sequence that still shows a difference: steps are left out, then fields of their bodies.

use serde_json::Value;

use crate::compare::Difference;

/// Shrinks `steps` as long as `shows` finds the difference in them; none where it does not come again.
pub(super) fn shrink(
    mut steps: Vec<Value>,
    shows: impl Fn(&[Value]) -> Option<Difference>,
) -> Option<(Vec<Value>, Difference)> {
    let mut difference = shows(&steps)?;
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut from = 0;
        while from < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(from..(from + size).min(steps.len()));
            match Some(&fewer).filter(|fewer| can_be_played(fewer)).and_then(|fewer| shows(fewer)) {
                Some(still) => (steps, difference) = (fewer, still),
                None => from += size,
            }
        }
        size /= 2;
    }
    for at in 0..steps.len() {
        for place in places(&steps[at]["body"], String::new()) {
            let mut fewer = steps.clone();
            if !remove(&mut fewer[at]["body"], &place) {
                continue;
            }
            if let Some(still) = shows(&fewer) {
                (steps, difference) = (fewer, still);
            }
        }
    }
    Some((steps, difference))
}

/// Whether each answer that is taken was asked for.
fn can_be_played(steps: &[Value]) -> bool {
    let mut asked = 0;
    steps.iter().all(|step| {
        asked += i32::from(step["later"] == true);
        asked -= i32::from(!step["answer"].is_null());
        asked >= 0
    })
}

/// Pointers (RFC 6901) to all fields, the outer ones first.
fn places(value: &Value, at: String) -> Vec<String> {
    let inner: Vec<_> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (format!("{at}/{name}"), value)).collect(),
        Value::Array(values) => (0..).zip(values).map(|(index, value)| (format!("{at}/{index}"), value)).collect(),
        _ => return Vec::new(),
    };
    let inner = inner.into_iter().flat_map(|(at, value)| {
        let below = places(value, at.clone());
        std::iter::once(at).chain(below)
    });
    inner.collect()
}

fn remove(body: &mut Value, place: &str) -> bool {
    let Some((parent, name)) = place.rsplit_once('/') else { return false };
    match body.pointer_mut(parent) {
        // Without its records or its bytes a batch is none.
        Some(Value::Object(fields)) if !matches!(name, "records" | "hex") => fields.remove(name).is_some(),
        Some(Value::Array(values)) => match name.parse::<usize>() {
            Ok(at) if at < values.len() && !(parent.ends_with("/headers") || parent.contains("/put")) => {
                values.remove(at);
                true
            }
            _ => false,
        },
        _ => false,
    }
}
