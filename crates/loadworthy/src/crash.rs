//! A fault of the tool itself: said plainly, with what helps to mend it.

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};
use std::process::ExitCode;

/// Exit code of an internal error.
const INTERNAL: u8 = 3;

/// Runs the command; a panic becomes a message and the exit code 3.
pub(crate) fn guarded(command: impl FnOnce() -> ExitCode) -> ExitCode {
    set_hook(Box::new(|info| anstream::eprintln!("{}", message(info))));
    catch_unwind(AssertUnwindSafe(command)).unwrap_or(ExitCode::from(INTERNAL))
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let what = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| String::from("no message"));
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    format!(
        "internal error: {what} ({place}, version {})\n  \
         This is a fault of loadworthy, not of your code. Please report it with these lines and, if you can, the file \
         that causes it; --exclude GLOB leaves that file out meanwhile.",
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_exit_code_three() {
        let code = guarded(|| panic!("broken"));
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(3)));
        let code = guarded(|| ExitCode::from(1));
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(1)));
    }
}
