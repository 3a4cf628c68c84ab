# `make train` and `make test` are all a newcomer needs; CONTRIBUTING.md tells of the rest.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
comma := ,
# `make train GPU=1` also installs the libraries that TensorFlow needs for an NVIDIA GPU.
EXTRAS := dev$(if $(GPU),$(comma)gpu)
# Of the lines that `make train` ends with.
DRAW := --model runs/sample --out runs/drawn --labels data/sample

.PHONY: train demo test test-slow lint docs clean

train: $(VENV)/.installed
	$(BIN)/python -m data_pipeline.sample --out data/sample
	$(BIN)/python -m data_pipeline.build --dataset sample --source data/sample \
		--out data/sample_64 --image_size 64 64
	$(BIN)/python -m oasis_tf.train --dataset sample --data_dir data/sample_64 \
		--model_dir runs/sample --toy
	test -f runs/sample_segmenter/segmenter.json || $(BIN)/python -m oasis_tf.train_segmenter \
		--data_dir data/sample_64 --out runs/sample_segmenter --steps 200 --base_channels 16
	$(BIN)/python -m oasis_tf.evaluate --model runs/sample --data_dir data/sample_64 \
		--metrics miou,colour,texture --segmenter runs/sample_segmenter \
		--out runs/sample_score.json --report runs/sample_report.html --cache_dir runs/cache
	@echo
	@echo "To draw pictures of label maps, edit them, and go from seed to seed:"
	@echo "  $(BIN)/python -m oasis_tf.synthesize $(DRAW)/label_maps --samples 6"
	@echo "  $(BIN)/python -m oasis_tf.edit $(DRAW)/label_maps/scene_1.png --resample house,tree"
	@echo "  $(BIN)/python -m oasis_tf.interpolate $(DRAW)/label_maps/scene_1.png --seeds 0 3"
	@echo "To paint label maps in the browser, at http://127.0.0.1:8501:"
	@echo "  $(BIN)/python -m oasis_tf.export --model runs/sample --out saved_models/sample"
	@echo "  $(BIN)/python -m oasis_tf.serve --model_base_path saved_models/sample"

# The editor with a model that is in git: nothing is trained. It prints the address of its page.
demo: $(VENV)/.installed
	$(BIN)/python -m oasis_tf.serve --model_base_path saved_models/demo

# Two workers, for most of the time goes into what one core does. In the order of the files: left to
# itself, the plug-in keeps the longest of them for last.
WORKERS := -n 2 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.installed
	$(BIN)/python -m pytest $(WORKERS)

test-slow: $(VENV)/.installed
	$(BIN)/python -m pytest $(WORKERS) -m slow

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Warnings, such as a link to nothing, are errors. The variable spares a page of advertisement.
docs: $(VENV)/.docs-installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "site/index.html; with a search: $(BIN)/python -m http.server --directory site"

# setup.py names the dependencies, so a change of it installs again.
$(VENV)/.installed: setup.py
	$(PYTHON) -m venv $(VENV)
	# The pip that comes with Python 3.10 does not find a set of versions that fit together.
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[$(EXTRAS)]"
	touch $@

$(VENV)/.docs-installed: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	touch $@

clean:
	rm -rf $(VENV) data runs site
