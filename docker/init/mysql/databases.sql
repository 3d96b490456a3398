-- Run once, when the volume is new. The shards that compose.dev.yaml names.
CREATE DATABASE rowhouse_shard_1;
CREATE DATABASE rowhouse_shard_2;
-- A tenant may get a database of its own, so the user must be able to make some; the prefix keeps it from all others.
GRANT ALL ON `rowhouse\_%`.* TO 'rowhouse'@'%';
