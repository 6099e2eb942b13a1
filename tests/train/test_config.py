"""A training's file: its defaults, and everything wrong in it named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from regreen.errors import InputError
from regreen.train.config import BatchConfig, RltfConfig, SftConfig, read_config


def read(tmp_path, text):
    path = tmp_path / "train.toml"
    path.write_text(text)
    return read_config(path, SftConfig)


def test_two_fields_are_enough_and_the_rest_are_the_papers(tmp_path):
    found = read(tmp_path, 'model = "hf:a"\nproblems = "mbpp:train"\n')
    assert (found.optimizer.lr, found.optimizer.betas, found.optimizer.weight_decay) == (3e-5, [0.9, 0.95], 0.1)
    assert (found.optimizer.warmup, found.batch.tokens, found.validation, found.lora) == (175, 8192, 0.1, None)


def test_every_wrong_field_is_named_in_one_line(tmp_path):
    text = """
        problems = 3
        bacth = 5
        validation = 1.5
        [optimizer]
        lr = -1.0
        betas = [0.9, 2.0]
        schedule = "cosin"
        momentum = 0.9
        [check]
        monitr = "pass@1"
        n = "4"
        [lora]
        rank = 0
        targets = 5
    """
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    said = str(caught.value)
    assert "\n" not in said
    assert "12 wrong fields" in said
    for words in (
        "model: missing", "problems: input should be a valid string, not 3", "bacth: unknown; did you mean batch?",
        "validation: input should be less than 1, not 1.5, or", "optimizer.lr: input should be greater than 0, not -1",
        "optimizer.betas: input should be less than 1, not 2.0", "optimizer.schedule: input should be 'cosine', ",
        "optimizer.momentum: unknown; there are lr, betas,", "check.monitr: unknown; did you mean monitor?",
        "check.n: input should be a valid integer, not '4'", "lora.rank: input should be greater than 0, not 0",
        "lora.targets: input should be a valid string, not 5, or",
    ):  # fmt: skip
        assert words in said


@pytest.mark.parametrize(("text", "words"), [("model = ", "no TOML"), ("[lora\n", "no TOML")])
def test_a_file_that_is_no_toml_is_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_config(tmp_path / "none.toml", SftConfig)


def test_the_recipes_of_cycle_are_configurations(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "recipes"))
    import cycle_ablations
    import cycle_katas
    import cycle_mbpp
    import cycle_parts

    assert cycle_mbpp.config().first is not None
    first = {"model": "tiny-base", "problems": "katas:ambiguous-train", "validation": 0.1}
    for differs in (cycle_ablations.ABLATIONS, cycle_katas.MODELS):
        made = {name: cycle_parts.config_of(first, 1, **tables) for name, tables in differs.items()}
        assert len({config.model_dump_json() for config in made.values()}) == len(made)
        assert {config.optimizer.lr for config in made.values()} == {cycle_parts.BASE["optimizer"]["lr"]}
    assert made["m1+"].pairs.share == 0
    assert made["m1+"].pairs.select == made["m2"].pairs.select == "edit"


def test_the_recipes_of_rltf_are_configurations(monkeypatch, tmp_path):
    pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "recipes"))
    (tmp_path / "corpus.jsonl").touch()  # or it would be made: 20,000 problems
    import rltf_ablations
    import rltf_apps
    import rltf_katas

    monkeypatch.setattr(rltf_katas, "start", lambda out: "tiny-noisy")  # it would be trained
    assert rltf_apps.imitation("hf:a", 1e-5, BatchConfig(steps=1)).problems == "apps:train"
    runs = {name: rltf_apps.config(name, "hf:a") for name in rltf_apps.RUNS}
    assert runs["offline"].interval == runs["rltf"].batch.steps
    cells = {name: RltfConfig(**rltf_ablations.told_of(name, 0, tmp_path)) for name in rltf_ablations.ABLATIONS}
    assert cells["penalty-5"].method.penalty == -0.5
    assert all(cell.batch.steps == rltf_katas.BASE["batch"]["steps"] for cell in cells.values())
    names = [name for name in rltf_katas.RUNS if not name.startswith("sft")]
    held = {name: RltfConfig(**rltf_katas.told_of(name, 0, tmp_path, 1e-4, 160)) for name in names}
    assert {each.draw.n * (each.draw.first or 8 * 80) for each in held.values()} == {8 * 640}, "all draw as many"
    for made in (runs, cells, held):
        assert len({one.model_dump_json() for one in made.values()}) == len(made), "each differs from all others"


@pytest.mark.parametrize("text", ["seed = -1", f"seed = {2**70}", "[optimizer]\nlr = inf", "[optimizer]\nlr = nan"])
def test_numbers_with_which_no_training_begins_are_refused(tmp_path, text):
    with pytest.raises(InputError, match=r"1 wrong field: (seed|optimizer.lr): input should be"):
        read(tmp_path, f'model = "hf:a"\nproblems = "mbpp:train"\n{text}\n')
