//! Parts of URLs, and their encoding of text.

use super::string;
use crate::types::Value;

/// `java.net.URLEncoder`: UTF-8, a blank is `+`.
pub(crate) fn encode(value: Value<'_>) -> Value<'_> {
    let Value::String(text) = &value else { return Value::Null };
    let mut out = Vec::with_capacity(text.len());
    for byte in text.iter() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => out.push(*byte),
            b' ' => out.push(b'+'),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    string(out)
}

/// NULL where a % has no two digits after it, where Spark fails.
pub(crate) fn decode(value: Value<'_>) -> Value<'_> {
    let Value::String(text) = &value else { return Value::Null };
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut digit = || bytes.next().and_then(|digit| char::from(*digit).to_digit(16));
                let (Some(high), Some(low)) = (digit(), digit()) else { return Value::Null };
                out.push((high * 16 + low) as u8);
            }
            other => out.push(*other),
        }
    }
    string(String::from_utf8_lossy(&out).into_owned().into_bytes())
}

/// `java.net.URI`'s parts.
struct Parts<'u> {
    scheme: Option<&'u str>,
    authority: Option<&'u str>,
    path: &'u str,
    query: Option<&'u str>,
    fragment: Option<&'u str>,
}

fn parts(url: &str) -> Option<Parts<'_>> {
    // What java.net.URI refuses anywhere.
    let illegal = |char: char| {
        char.is_ascii_control() || matches!(char, ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
    };
    if url.contains(illegal) {
        return None;
    }
    let (rest, fragment) = url.split_once('#').map_or((url, None), |(rest, fragment)| (rest, Some(fragment)));
    let scheme_end = rest.find([':', '/', '?']).filter(|at| rest.get(*at..).is_some_and(|rest| rest.starts_with(':')));
    let (scheme, rest) = match scheme_end {
        Some(0) => return None,
        Some(at) => {
            let (scheme, rest) = rest.split_at(at);
            (Some(scheme), rest.get(1..).unwrap_or_default())
        }
        None => (None, rest),
    };
    if scheme.is_some() && rest.is_empty() {
        return None;
    }
    // mailto:… has no other parts.
    if scheme.is_some() && !rest.starts_with('/') {
        return Some(Parts { scheme, authority: None, path: "", query: None, fragment });
    }
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(authority).filter(|authority| !authority.is_empty()), path)
        }
        None => (None, rest),
    };
    Some(Parts { scheme, authority, path, query, fragment })
}

/// User, host, as far as the authority is one of a server.
fn server(authority: &str) -> (Option<&str>, Option<&str>) {
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let port_at = host.rfind(':').filter(|at| !host.get(*at..).unwrap_or_default().contains(']'));
    let (name, port) = host.split_at(port_at.unwrap_or(host.len()));
    let is_port = port.chars().skip(1).all(|digit| digit.is_ascii_digit());
    let is_name = name.starts_with('[') || name.chars().all(|char| char.is_ascii_alphanumeric() || "-.".contains(char));
    if is_port && is_name && !name.is_empty() { (user, Some(name)) } else { (None, None) }
}

/// A part by its name, in upper case.
pub(crate) fn part<'a>(url: Value<'a>, name: Value<'a>) -> Value<'a> {
    let (Value::String(url), Value::String(name)) = (&url, &name) else { return Value::Null };
    let url = String::from_utf8_lossy(url);
    let Some(parts) = parts(&url) else { return Value::Null };
    let found = match name.as_ref() {
        b"HOST" => parts.authority.and_then(|authority| server(authority).1).map(str::to_owned),
        b"PATH" => Some(parts.path.to_owned()),
        b"QUERY" => parts.query.map(str::to_owned),
        b"REF" => parts.fragment.map(str::to_owned),
        b"PROTOCOL" => parts.scheme.map(str::to_owned),
        b"FILE" => Some(parts.query.map_or(parts.path.to_owned(), |query| format!("{}?{query}", parts.path))),
        b"AUTHORITY" => parts.authority.map(str::to_owned),
        b"USERINFO" => parts.authority.and_then(|authority| server(authority).0).map(str::to_owned),
        _ => None,
    };
    found.map_or(Value::Null, |found| string(found.into_bytes()))
}

/// The value of a key of the query.
pub(crate) fn query_key<'a>(url: Value<'a>, name: Value<'a>, key: Value<'a>) -> Value<'a> {
    let Value::String(key) = key else { return Value::Null };
    if !matches!(&name, Value::String(name) if name.as_ref() == b"QUERY") {
        return Value::Null;
    }
    let Value::String(query) = part(url, name) else { return Value::Null };
    let found = query.split(|byte| *byte == b'&').find_map(|pair| {
        let rest = pair.strip_prefix(key.as_ref())?;
        rest.strip_prefix(b"=")
    });
    found.map_or(Value::Null, |value| string(value.to_vec()))
}
