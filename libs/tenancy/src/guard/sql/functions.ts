/**
 * Functions that compute from their arguments alone. Everything else is refused until it is named in the guard's options:
 * many products have functions that run SQL given as text, read files or other tables by name, or change the session.
 */
const COMPUTING =
  'abs avg bit_and bit_or cast ceil ceiling char char_length character_length coalesce concat concat_ws convert count ' +
  'cume_dist curdate current_date current_time current_timestamp curtime date date_add date_format date_part date_sub ' +
  'date_trunc datediff datetime day dayofmonth dayofweek dense_rank div exp extract first_value floor format ' +
  'gen_random_uuid glob greatest group_concat hex hour if ifnull iif initcap instr isnull julianday lag last_value lead ' +
  'least left length lengthb likely ln locate log lower lpad ltrim make_date max md5 min minute mod month now nth_value ' +
  'ntile nullif octet_length percent_rank percentile_cont percentile_disc position pow power printf quarter quote rank ' +
  'regexp_instr regexp_match regexp_matches regexp_replace regexp_substr repeat replace reverse right round row_number ' +
  'rpad rtrim second sha2 sign split_part sqrt stddev stddev_pop stddev_samp str_to_date strftime string_agg strpos ' +
  'substr substring substring_index sum time timediff timestampadd timestampdiff to_char to_date to_number to_timestamp ' +
  'to_tsquery to_tsvector plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank ts_rank_cd ts_headline total ' +
  'trim trunc truncate typeof ucase unicode unix_timestamp from_unixtime unixepoch upper utc_timestamp uuid var_pop ' +
  'var_samp variance week weekday year yearweek array_agg array_length array_position array_remove array_to_string ' +
  'string_to_array cardinality any_value bool_and bool_or every field find_in_set ascii lcase mid space strcmp match against ' +
  'unistr';

const JSON_COMPUTING =
  'json json_agg json_array json_array_append json_array_insert json_array_length json_arrayagg json_build_array ' +
  'json_build_object json_contains json_contains_path json_depth json_exists json_extract json_extract_path ' +
  'json_extract_path_text json_group_array json_group_object json_insert json_keys json_length json_merge_patch ' +
  'json_merge_preserve json_object json_object_agg json_objectagg json_overlaps json_patch json_query json_quote ' +
  'json_remove json_replace json_search json_set json_type json_typeof json_unquote json_valid json_value to_json ' +
  'to_jsonb row_to_json jsonb jsonb_agg jsonb_array_length jsonb_build_array jsonb_build_object jsonb_extract_path ' +
  'jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_agg jsonb_path_exists jsonb_path_match ' +
  'jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_set jsonb_strip_nulls jsonb_typeof ' +
  'json_array_contains json_compact json_detailed json_loose json_equals json_normalize';

const ROW_SOURCES =
  'unnest generate_series json_each json_tree json_table json_array_elements json_array_elements_text jsonb_each ' +
  'jsonb_each_text jsonb_array_elements jsonb_array_elements_text jsonb_to_recordset json_to_recordset ' +
  'regexp_split_to_table string_to_table';

/** Words that stand before a bracket without being functions. */
const NOT_FUNCTIONS =
  'in and or not on using values as exists any all some over filter when then else between like ilike is by distinct ' +
  'select where having limit set returning conflict key within group partition order row array interval varchar ' +
  'character decimal numeric timestamp timestamptz float binary varbinary bit double signed unsigned int ' +
  'materialized range rows from with';

const setOf = (words: string) => new Set(words.split(' '));
const notFunctions = setOf(NOT_FUNCTIONS);
const computing = setOf(`${COMPUTING} ${JSON_COMPUTING}`);
const rowSources = setOf(ROW_SOURCES);

/** Which functions statements may call. */
export class AllowedFunctions {
  readonly #added: ReadonlySet<string>;

  /** @param added names beyond the built-in list, in lower case */
  constructor(added: readonly string[] = []) {
    this.#added = new Set(added);
  }

  /** Whether `word (…)` may stand in an expression. */
  mayPrecedeBracket(word: string): boolean {
    return notFunctions.has(word) || computing.has(word) || rowSources.has(word) || this.#added.has(word);
  }

  /** Whether `name(…)` may stand in a FROM clause. */
  mayGiveRows(name: string): boolean {
    return rowSources.has(name) || this.#added.has(name);
  }

  isKeyword(word: string): boolean {
    return notFunctions.has(word);
  }
}
