# SPDX-License-Identifier: GPL-3.0-or-later
# `make help` lists the targets. On Debian as root they install what they need; elsewhere they say what is missing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

STEP := scripts/step
export PATH := $(CURDIR)/.cache/venv/bin:$(PATH):/usr/sbin
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# By name, so that each demo exchanges them, however young they are. What the demo sends takes a second, and no grace of minutes.
ROTATED := {"rotate_secrets": ["vault_mailgun_smtp_password", "vault_mail_delivery_token"], "credential_rotation_grace": 10}

.PHONY: help demo demo-down tools environment development unit lint sanity site integration e2e test bench bench-bridge clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: environment  ## Bring up Odoo, a gateway and a small internet; apply site.yml; show mail flowing; exchange secrets
	@rm -f .cache/step-times
	@$(STEP) "sandbox" sandbox/sandbox up demo
	@$(STEP) "document" ansible-playbook playbooks/document.yml
	@scripts/converge site.yml
	@$(STEP) "explain" ansible-playbook playbooks/explain.yml
	@$(STEP) "mail flows" sandbox/demo
	@$(STEP) "rotation" ansible-playbook playbooks/rotate_credentials.yml -e '$(ROTATED)'
	@$(STEP) "mail still flows" sandbox/demo mail
	@scripts/step --summary

demo-down:  ## Remove the demo's containers (images stay)
	@sandbox/sandbox down demo

tools:  ## Install the system packages the sandbox needs (Debian, as root)
	@scripts/tools

environment: tools  ## Make the Python environment for the playbooks in .cache/venv
	@scripts/environment controller

development: tools  ## Make the Python environment for the tests in .cache/venv
	@scripts/environment development

test: development  ## Run everything CI runs
	@rm -f .cache/step-times
	@$(STEP) "unit" $(MAKE) unit
	@$(STEP) "sandbox" sandbox/sandbox up test
	@$(STEP) "lint, sanity, site" scripts/together lint sanity site
	@$(STEP) "integration" $(MAKE) integration
	@$(STEP) "e2e" $(MAKE) e2e
	@scripts/step --summary

unit: development  ## Unit tests, and the simulated providers against their published specifications
	@pytest -q -n 2 tests/unit tests/contract

lint: development  ## ruff, mypy --strict, yamllint, ansible-lint (production), changelog and documentation
	@scripts/lint

sanity: development  ## ansible-test sanity, without ignores
	@scripts/sanity

site: development  ## The molecule scenario: site.yml on a sandbox of its own: converge, idempotence, verify
	@sandbox/sandbox up test
	@molecule test -s site --destroy=never

integration: development  ## Every module and role against the real Odoo, PostgreSQL and Postfix
	@sandbox/sandbox up test
	@pytest -q -n 2 --dist loadfile --no-loadscope-reorder tests/integration

e2e: development  ## Mail in and out of the converged sandbox
	@pytest -q tests/e2e

bench: development  ## Benchmarks, as ratios within one run
	@sandbox/sandbox up test
	@pytest -q -s tests/benchmarks

bench-bridge: development  ## Benchmarks of the bridge, and its parts killed under load; after `make site`
	@sandbox/sandbox up test
	@python tests/benchmarks/bridge/run.py

clean:  ## Remove all that these targets made: containers, images, caches, environments
	@if [ -e .cache/sandbox ] && command -v podman >/dev/null; then sandbox/sandbox clean; fi
	@rm -rf .cache .ansible collections tests/output .mypy_cache .ruff_cache .pytest_cache .hypothesis mailops-odoo-*.tar.gz
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
