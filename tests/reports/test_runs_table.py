import csv
import io

from rnnlm.reports.runs_table import options_lines, runs_csv, runs_lines

ROW = {"run": "one", "text": 1, "options": {"hidden_size": 100, "tied": True}, "best_epoch": 3, "epochs": 4,
       "of_epochs": 9, "valid_loss": 1.6094379, "valid_perplexity": 5.0, "test_loss": None, "test_perplexity": None,
       "bits_per_character": None, "bits_per_byte": 0.5, "bits_per_byte_is_lower_bound": True, "unk_share": 0.0254,
       "minutes": 12.34, "parameters": 123456}
BEGUN = {**ROW, "run": "begun", "options": {"hidden_size": 50, "tied": False}, "best_epoch": None, "epochs": 0,
         "valid_loss": None, "valid_perplexity": None, "bits_per_byte": None, "unk_share": None, "minutes": None,
         "parameters": None}


def test_columns_are_aligned_and_those_of_which_nothing_is_known_are_left_out():
    assert runs_lines([ROW, BEGUN]) == [
        "run    hidden-size   tied  valid perplexity  bits/byte  <unk>  best epoch  epochs  minutes  parameters",
        "one            100   true                 5   >=0.5000   2.5%           3  4 of 9     12.3     123,456",
        "begun           50  false                 -          -      -           -  0 of 9        -           -"]


def test_a_run_of_which_nothing_is_known_has_its_line():
    assert runs_lines([BEGUN | {"options": {}}]) == ["run    valid perplexity  best epoch  epochs",
                                                      "begun                 -           -  0 of 9"]


def test_a_test_score_and_bits_per_character_have_their_columns():
    head, line = runs_lines([ROW | {"options": {}, "test_perplexity": 4.56789, "bits_per_character": 1.23456}])
    assert head.split("  ")[2:4] == ["test perplexity", "bits/character"]
    assert line.split()[2:4] == ["4.5679", "1.2346"]


def test_many_options_are_a_table_of_their_own():
    options = {f"option_{i}": i for i in range(6)}
    rows = [ROW | {"options": options}, BEGUN | {"options": options | {"option_2": [7, 8], "option_3": None}}]
    assert "option" not in runs_lines(rows)[0]
    lines = options_lines(rows)
    assert [line.split() for line in lines[:1] + lines[3:5]] == [
        ["option", "one", "begun"], ["option-2", "2", "7", "8"], ["option-3", "3", "-"]]
    assert options_lines([ROW, BEGUN]) == []


def test_a_line_has_the_options_of_as_many_runs_as_fit_and_says_where_all_are():
    """Names take 10 characters, and each run two blanks and five: 10 + 21 * 7 = 157."""
    options = {f"option_{i}": i for i in range(6)} | {"long_names": 1}
    rows = [ROW | {"run": f"r-{i:03}", "options": options} for i in range(200)]
    *lines, last = options_lines(rows)
    assert {len(line) for line in lines} == {157}
    assert lines[0].split()[1:] == [f"r-{i:03}" for i in range(21)]
    assert last == "(the options of 21 of 200 runs: --csv and --json have those of all)"
    assert len(options_lines(rows[:21])) == 8
    wide = [ROW | {"run": "r" * 300, "options": options}] * 2
    assert options_lines(wide)[-1].startswith("(the options of 1 of 2 runs:")


def test_epochs_of_which_nobody_knows_how_many_there_were_to_be():
    head, line = runs_lines([ROW | {"of_epochs": None, "options": {"tied": "NA"}}])
    assert head.split("  ")[1].strip() == "tied" and line.split()[1] == "NA"
    assert " 4  " in line and " of " not in line


def test_csv_has_all_digits_and_nothing_where_nothing_is_known():
    head, one, begun = csv.reader(io.StringIO(runs_csv([ROW, BEGUN])))
    assert head[:4] == ["run", "text", "hidden-size", "tied"]
    assert dict(zip(head, one, strict=True)).items() >= {
        "run": "one", "tied": "true", "valid_loss": "1.6094379", "unk_share": "0.0254", "minutes": "12.34",
        "bits_per_byte_is_lower_bound": "true", "test_loss": "", "parameters": "123456"}.items()
    assert dict(zip(head, begun, strict=True))["valid_perplexity"] == ""


def test_names_that_a_terminal_would_obey_are_escaped():
    lines = runs_lines([ROW | {"run": "a\x1b[2J\n", "options": {"tokenizer": "b\x1b"}}])
    assert all(line.isprintable() for line in lines)
    assert r"a\x1b[2J\n" in lines[1] and r"b\x1b" in lines[1]
