-- Run once, when the volume is new. The central database, and the shards that compose.dev.yaml names.
CREATE DATABASE rowhouse_central;
CREATE DATABASE rowhouse_shard_1;
CREATE DATABASE rowhouse_shard_2;
