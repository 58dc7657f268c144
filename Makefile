# Tradewind: everything a person types to try, test and use the project.
# Each target installs what it is missing, says what it installs, and can be run again at once.
.DEFAULT_GOAL := help
.PHONY: help demo build test wheel archive notebook notebooks notebooks-save look clean clean-cache

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## Build and run the demonstration on the bundled data
	@setup/demo

build: ## Build the tradewind binary (target/release/tradewind)
	@setup/build

test: ## Check everything: format, lints, tests, documentation, licences, notebooks
	@setup/test

wheel: ## Build a wheel with the program, and try it in a fresh environment
	@setup/wheel

archive: ## Pack the program with completions and manual pages
	@setup/archive

notebook: ## Open JupyterLab with Tradewind in its notebooks
	@setup/notebook lab

notebooks: ## Run every notebook in notebooks/ and check its output (changes no file)
	@setup/notebook run

notebooks-save: ## Run every notebook and write the new output into the files
	@setup/notebook run --save

look: ## Run the notebooks in JupyterLab and Chromium and save pictures of them
	@setup/notebook look

clean: ## Remove what was built in this checkout
	@setup/clean

clean-cache: ## Remove the downloaded and built tools shared by all checkouts
	@setup/clean --cache
