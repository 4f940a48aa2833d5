//! Points in time, as JSON has them.

use std::time::SystemTime;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A time in ISO 8601, to the second, in UTC; empty where no calendar has it.
pub(super) fn iso_8601(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time).truncate_to_second();
    time.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_time_is_written_to_the_second() {
        let time = UNIX_EPOCH + Duration::from_millis(1_795_746_461_250);
        assert_eq!(iso_8601(time), "2026-11-27T02:27:41Z");
    }
}
