//! Lists the migration files, so that adding one is adding a file.

use std::fmt::Write as _;
use std::path::Path;

fn main() {
    let mut code = String::new();
    for (dir, name) in [("control", "CONTROL"), ("tenant", "TENANT")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(dir);
        println!("cargo::rerun-if-changed={}", path.display());
        let mut files: Vec<_> = std::fs::read_dir(&path)
            .expect("the migrations folder is part of the source")
            .map(|entry| entry.expect("a readable folder").path())
            .filter(|path| path.extension().is_some_and(|e| e == "sql"))
            .collect();
        files.sort();
        writeln!(code, "pub(super) const {name}: &[Migration] = &[").expect("writes to a String");
        for file in files {
            println!("cargo::rerun-if-changed={}", file.display());
            let stem = file.file_stem().expect("a .sql file has a name").to_string_lossy().into_owned();
            writeln!(code, "    Migration {{ name: {stem:?}, sql: include_str!({:?}) }},", file.canonicalize().expect("exists"))
                .expect("writes to a String");
        }
        code.push_str("];\n");
    }
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    std::fs::write(Path::new(&out).join("migrations.rs"), code).expect("writes to the build folder");
}
