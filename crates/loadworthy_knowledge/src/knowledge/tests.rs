mod data;
mod lookups;
mod overrides;
