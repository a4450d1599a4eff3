# Each target creates the virtual environment that it needs under .venv/, once. Make and
# Python 3.10 or newer with the venv module are all that must be installed.

PYTHON ?= python3
# The folder of the environments.
ENVS ?= .venv
# More arguments for pytest, for example: make test ARGS="-k throttle"
ARGS ?=

# `make test` shuffles the tests. The other runs look for something else and keep the order.
IN_ORDER = -p no:randomly

# The tests that a version of botocore can fail: they make clients, or read its model. The rest
# reads texts, or (tests/plugin) replays through markers what tests/replay does without them.
WITH_BOTOCORE = tests/live tests/patch tests/programs tests/record tests/replay tests/server \
	$(patsubst %,tests/scrub/test_%.py,names properties refused scrubber table telling) \
	$(patsubst %,tests/test_%.py,botocore_sessions modes pipeline recording) examples

# The tests that get responses from a replay. tests/patch compares data, and tests/plugin replays
# what tests/replay does; test_two_ways compares both ways itself, in every run.
WITH_RESPONSES = tests/replay tests/programs examples --ignore=tests/replay/test_two_ways.py

# The oldest Python available runs the oldest dependencies, which do not support the newest one.
OLDEST_PYTHON ?= $(shell for p in python3.10 python3.11 python3.12; do \
	$$p -c 'import ensurepip' 2>/dev/null && { echo $$p; exit; }; done; echo $(PYTHON))

# Public programs that `make apps` tests; each has a dependency group in pyproject.toml.
PROGRAMS = airflow luigi dask ecs-deploy ecs-task-doctor

export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Workers, and the processes that tests start, share compiled modules. Images often forbid these.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help environments demo test exhaustive scale test-all coverage page wording lint types format oldest newest wire detect apps languages wheel audit bench clean

help: ## Print this list.
	@echo 'Each target works on a fresh machine:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
		awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

demo: $(ENVS)/demo/made ## Record a task over HTTP on this machine, replay it, break it.
	@$(ENVS)/demo/bin/cassette demo
	@echo 'In this checkout the command is $(ENVS)/demo/bin/cassette.'

test: $(ENVS)/test/made ## Run the tests, except the exhaustive ones.
	$(ENVS)/test/bin/python -m pytest -n auto $(ARGS)

exhaustive: $(ENVS)/test/made ## Run full matrices, kills, large sizes, and more examples of each property.
	$(ENVS)/test/bin/python -m pytest -n auto $(IN_ORDER) -m "(exhaustive or hypothesis) and not scale" \
		--hypothesis-profile=thorough $(ARGS)

scale: $(ENVS)/test/made ## Run with 10,000 files what the exhaustive tests run with 1,000.
	$(ENVS)/test/bin/python -m pytest $(IN_ORDER) -m scale $(ARGS)

test-all: test exhaustive scale ## Run every test.

coverage: $(ENVS)/test/made ## Run the tests and report what they cover (slow before Python 3.12).
	@rm -f .coverage .coverage.*
	$(ENVS)/test/bin/python -m coverage run -m pytest -n auto $(ARGS)
	@$(ENVS)/test/bin/python -m coverage combine --quiet
	@$(ENVS)/test/bin/python -m coverage report

lint: $(ENVS)/lint/made wording ## Check the style of the code and the wording of the texts.
	$(ENVS)/lint/bin/ruff check .
	$(ENVS)/lint/bin/ruff format --check .

page: $(ENVS)/test/made tests/page/node_modules ## Open the HTML pages in headless Chromium and check them with axe-core.
	$(ENVS)/test/bin/python -m pytest -m '' tests/page $(ARGS)

tests/page/node_modules: tests/page/package.json
	@command -v chromium >/dev/null || { echo 'This needs Chromium (Debian: apt install chromium) and npm.'; exit 1; }
	npm install --prefix tests/page --no-audit --no-fund --no-package-lock
	@touch $@

wording: ## Find the phrases that .ci/wording.txt bans from prose, messages and names.
	@! git grep -nEi -f .ci/wording.txt -- cassette cassettes tests docs benchmarks examples \
		'*.md' Makefile pyproject.toml ':!cassette/scrub/words.txt' \
		|| { echo 'Reword these lines: .ci/wording.txt bans their phrases.'; exit 1; }

format: $(ENVS)/lint/made ## Fix the style where ruff can do so.
	$(ENVS)/lint/bin/ruff check --fix .
	$(ENVS)/lint/bin/ruff format .

types: $(ENVS)/lint/made ## Check the types (mypy, strict).
	$(ENVS)/lint/bin/mypy

# Everything here can fail: Python, pytest, click, rich and PyYAML are older too. What counts the
# steps of expressions has an engine of its own, which no version changes.
oldest: $(ENVS)/oldest/made ## Run the tests with the oldest dependencies that pyproject.toml allows.
	$(ENVS)/oldest/bin/python -m pytest -n auto $(IN_ORDER) --ignore=tests/scrub/test_growth.py $(ARGS)
	$(ENVS)/oldest/bin/python -m pytest -n auto $(IN_ORDER) -m exhaustive tests/beside tests/plugin $(ARGS)

newest: $(ENVS)/newest/made ## Run the tests with the newest botocore (aiobotocore pins an older one).
	$(ENVS)/newest/bin/python -m pytest -n auto $(IN_ORDER) $(WITH_BOTOCORE) $(ARGS)

wire: $(ENVS)/test/made ## Run the tests that replay, with every response through botocore's own parser.
	CASSETTE_SHORT_WAY=off $(ENVS)/test/bin/python -m pytest -n auto $(IN_ORDER) $(WITH_RESPONSES) $(ARGS)

detect: $(ENVS)/detect/made ## Run the tests of the audit with the scanner of the extra `detect`.
	$(ENVS)/detect/bin/python -m pytest $(IN_ORDER) tests/scrub/test_kingfisher.py $(ARGS)

apps: $(PROGRAMS:%=$(ENVS)/%/made) ## Test public programs through the plugin (Python 3.11 or newer).
	@for program in $(PROGRAMS); do \
		echo "== $$program"; \
		AIRFLOW_HOME='$(abspath $(ENVS))/airflow/home' $(ENVS)/$$program/bin/python -m pytest \
			-c tests/apps/pytest.ini tests/apps/test_$$(echo $$program | tr - _).py $(ARGS) || exit 1; \
	done

languages: $(ENVS)/languages/made tests/languages/node_modules ## Test the AWS CLI, Node, Go, boto3 and aiobotocore against `cassette serve`.
	@$(MAKE) --no-print-directory $(ENVS)/aws-cli-v2/made \
		|| echo 'The AWS CLI v2 is not tested: apt-get cannot download the Debian package awscli.'
	@$(MAKE) --no-print-directory $(ENVS)/go/made \
		|| echo 'Go is not tested: apt-get cannot download the Debian packages of Go and its AWS SDK.'
	$(ENVS)/languages/bin/python -m pytest -c tests/languages/pytest.ini tests/languages $(ARGS)

tests/languages/node_modules: tests/languages/package.json
	@command -v node npm >/dev/null || { echo 'This needs Node.js 20 or newer with npm (Debian: apt install nodejs npm).'; exit 1; }
	npm install --prefix tests/languages --no-audit --no-fund --no-package-lock
	@touch $@

wheel: $(ENVS)/build/made ## Build sdist and wheel, and try the wheel and the pre-commit hooks elsewhere.
	@rm -rf dist
	$(ENVS)/build/bin/python -m build --outdir dist
	@echo 'Installing the wheel in an empty environment outside the checkout'
	@away=$$(mktemp -d) && trap 'rm -rf "$$away"' EXIT && \
	$(PYTHON) -m venv "$$away/env" && \
	"$$away/env/bin/python" -m pip install --quiet dist/*.whl && \
	cp tests/smoke/smoke.py "$$away" && cd "$$away" && env/bin/python -I smoke.py
	@echo 'Running the hooks in a repository of their own'
	@$(ENVS)/build/bin/python tests/smoke/hooks.py dist/*.tar.gz

audit: $(ENVS)/test/made ## Validate and audit every committed cassette.
	$(ENVS)/test/bin/cassette check cassettes tests/apps/cassettes
	$(ENVS)/test/bin/cassette audit cassettes tests/apps/cassettes

bench: $(ENVS)/bench/made ## Measure this tool beside its peers in one run; print a table.
	$(ENVS)/bench/bin/python -m benchmarks

clean: ## Remove the environments and all build products.
	rm -rf $(ENVS) dist build .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache

# -- environments: created once, and again when pyproject.toml or this file changes ----------

# $(call make_environment,python,what pip installs)
define make_environment
	@$(1) -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
		echo 'This needs Python 3.10 or newer with the venv module (Debian: apt install python3-venv).'; \
		echo '"$(1)" is not. Name another one, for example: make PYTHON=python3.12'; exit 1; }
	@echo 'Setting up $(@D) (once)'
	@$(1) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet 'pip>=25.1'
	@$(@D)/bin/python -m pip install --quiet $(2)
	@touch $@
endef

environments: $(ENVS)/test/made $(ENVS)/oldest/made $(ENVS)/newest/made

$(ENVS)/demo/made: pyproject.toml Makefile
	$(call make_environment,$(PYTHON),--editable '.[demo]')

$(ENVS)/test/made: pyproject.toml Makefile
	$(call make_environment,$(PYTHON),--editable . --group test --group beside --group async)

$(ENVS)/detect/made: pyproject.toml Makefile
	$(call make_environment,$(PYTHON),--editable '.[detect]' --group test)

$(ENVS)/lint/made: pyproject.toml Makefile
	$(call make_environment,$(PYTHON),--editable . --group lint)

$(ENVS)/build/made: pyproject.toml Makefile
	$(call make_environment,$(PYTHON),--group build)

$(ENVS)/bench/made: pyproject.toml Makefile
	$(call make_environment,$(PYTHON),--editable . --group bench)

$(PROGRAMS:%=$(ENVS)/%/made): pyproject.toml Makefile
	$(call make_environment,$(PYTHON),--editable . --group app-$(notdir $(@D)))

$(ENVS)/languages/made: pyproject.toml Makefile
	$(call make_environment,$(PYTHON),--editable . --group languages)

# $(call unpack,packages): Debian packages, unpacked beside the environments, not installed.
define unpack
	@rm -rf $(@D) && mkdir -p $(@D)/packages
	@cd $(@D)/packages && { apt-get download -qq $(1) || { apt-get update -qq && apt-get download -qq $(1); }; } 2>/dev/null
	@cd $(@D)/packages && for package in *.deb; do dpkg -x "$$package" ../debian || exit 1; done
	@rm -rf $(@D)/packages
endef

# AWS publishes v2 as an installer only; Debian has it as a package.
$(ENVS)/aws-cli-v2/made: pyproject.toml Makefile
	$(call unpack,awscli)
	@test -e $(@D)/debian/usr/bin/aws
	$(call make_environment,$(PYTHON),--group aws-cli-v2)
	@echo '$(abspath $(@D))/debian/usr/lib/python3/dist-packages' \
		> "$$($(@D)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/debian.pth"
	@touch $@

# The newest release of Go that the package golang-go names, and the sources of the SDK.
GO = $$(apt-cache depends golang-go | sed -n 's/.*Depends: \(golang-[0-9.]*\)-go$$/\1-go \1-src/p')
$(ENVS)/go/made: Makefile
	$(call unpack,$(GO) golang-github-aws-aws-sdk-go-v2-dev golang-github-aws-smithy-go-dev \
		golang-github-google-go-cmp-dev golang-github-jmespath-go-jmespath-dev)
	@ls $(@D)/debian/usr/lib/go-*/bin/go >/dev/null
	@touch $@

$(ENVS)/newest/made: pyproject.toml Makefile
	$(call make_environment,$(PYTHON),--upgrade --editable . --group test --group beside)

$(ENVS)/oldest/made: pyproject.toml Makefile .ci/oldest.py $(ENVS)/oldest.txt
	$(call make_environment,$(OLDEST_PYTHON),--editable . --group test --group beside --constraint $(ENVS)/oldest.txt)

$(ENVS)/oldest.txt: pyproject.toml .ci/oldest.py
	@mkdir -p $(ENVS)
	@$(OLDEST_PYTHON) .ci/oldest.py pyproject.toml > $@.new && mv $@.new $@
