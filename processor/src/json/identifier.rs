//! Which characters Java takes for parts of a name: Jackson passes over those when it reports an unknown word.

/// `Character.isJavaIdentifierStart`, near enough: without the letters of newer Unicode versions.
pub(super) fn is_identifier_start(character: char) -> bool {
    !is_supplementary(character)
        && (character.is_alphabetic() && !is_mark(character) || is_connector_or_currency(character))
}

/// `Character.isJavaIdentifierPart`, as near: a start, a digit, a mark, or a character to be ignored.
pub(super) fn is_identifier_part(character: char) -> bool {
    is_identifier_start(character)
        || !is_supplementary(character)
            && (is_mark(character) || is_ignorable(character) || character.is_numeric() && !is_other_number(character))
}

/// Java looks at such a character half by half, and a surrogate is no letter.
fn is_supplementary(character: char) -> bool {
    character > '\u{ffff}'
}

fn is_connector_or_currency(character: char) -> bool {
    matches!(character, '_' | '$' | '\u{a2}'..='\u{a5}' | '\u{203f}' | '\u{2040}' | '\u{2054}' | '\u{20a0}'..='\u{20bf}'
        | '\u{fe33}' | '\u{fe34}' | '\u{fe4d}'..='\u{fe4f}' | '\u{fe69}' | '\u{ff04}' | '\u{ff3f}' | '\u{ffe0}' | '\u{ffe1}'
        | '\u{ffe5}' | '\u{ffe6}')
}

fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{487}' | '\u{591}'..='\u{5bd}' | '\u{64b}'..='\u{669}'
        | '\u{900}'..='\u{903}' | '\u{20d0}'..='\u{20dc}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}')
}

fn is_other_number(character: char) -> bool {
    matches!(character, '\u{b2}' | '\u{b3}' | '\u{b9}' | '\u{bc}'..='\u{be}' | '\u{2070}'..='\u{2089}'
        | '\u{2150}'..='\u{215f}' | '\u{2189}' | '\u{2460}'..='\u{249b}' | '\u{24ea}'..='\u{24ff}' | '\u{2776}'..='\u{2793}'
        | '\u{3192}'..='\u{3195}' | '\u{3220}'..='\u{3229}' | '\u{3248}'..='\u{324f}' | '\u{3251}'..='\u{325f}'
        | '\u{3280}'..='\u{3289}' | '\u{32b1}'..='\u{32bf}')
}

/// Controls that are no whitespace, and format characters.
fn is_ignorable(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{e}'..='\u{1b}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{600}'..='\u{605}'
        | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}
