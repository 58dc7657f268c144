# Writes ets_fixed.csv, ets_forecasts.csv, ets_choice.csv and, given M3 as text, ets_m3.csv: what R's forecast::ets makes of
# the series of series.csv (written by benchmarks.R) and of 200 series of the M3 competition.
# Run as: Rscript tests/oracles/ets.R [fixed|choice|m3 DIRECTORY]   (needs the R package forecast)
# DIRECTORY holds m3_{monthly,quarterly,yearly,other}.csv, a series a line: id;values;test values.
suppressMessages(library(forecast))
options(warn = -1)
version <- paste0("# R ", getRversion(), ", forecast ", packageVersion("forecast"),
                  ": Rscript tests/oracles/ets.R; tolerances stand in tests/all/ets.rs")
write_out <- function(values, file) {
  writeLines(version, file)
  write.table(values, file, append = TRUE, sep = ",", quote = FALSE, row.names = FALSE)
}
exact <- function(x) sprintf("%.12g", x)
joined <- function(x) paste(exact(as.numeric(x)), collapse = ";")
table <- read.csv("tests/oracles/series.csv", comment.char = "#")
sets <- lapply(split(table, table$series), function(s) ts(s$y, frequency = s$season[1]))
letters_of <- function(fit) gsub("ETS|[(),]", "", fit$method)
coefficient <- function(fit, name) exact(as.numeric(fit$par[name]))
# Parameters as the data: smoothing parameters, states before the first and after the last value (level, growth, seasonal
# states from the latest to the oldest).
about <- function(name, asked, fit) data.frame(series = name, asked = asked, form = letters_of(fit), loglik = exact(fit$loglik),
  aic = exact(fit$aic), aicc = exact(fit$aicc), bic = exact(fit$bic), sigma2 = exact(fit$sigma2),
  alpha = coefficient(fit, "alpha"), beta = coefficient(fit, "beta"), gamma = coefficient(fit, "gamma"),
  phi = coefficient(fit, "phi"), first = joined(fit$states[1, ]), last = joined(fit$states[nrow(fit$states), ]))
steps <- function(name, asked, f) data.frame(series = name, asked = asked, h = seq_along(f$mean),
  mean = exact(as.numeric(f$mean)), lo80 = exact(as.numeric(f$lower[, 1])), hi80 = exact(as.numeric(f$upper[, 1])),
  lo95 = exact(as.numeric(f$lower[, 2])), hi95 = exact(as.numeric(f$upper[, 2])))
what <- commandArgs(TRUE)
if (what[1] == "fixed") {
  plain <- c("ANN", "AAN", "AAdN", "MNN", "MAN", "MAdN", "MMN", "MMdN")
  seasonal <- c("ANA", "AAA", "AAdA", "MNA", "MAA", "MAdA", "MNM", "MAM", "MAdM", "MMM", "MMdM")
  loose <- c("AMN", "AMdN", "ANM", "AAM", "AAdM", "AMA", "AMdA", "AMM", "AMdM", "MMA", "MMdA")
  fits <- steps_of <- list()
  for (name in c("AirPassengers", "USAccDeaths", "UKgas", "JohnsonJohnson", "nottem", "Nile", "lynx", "WWWusage", "LakeHuron")) {
    y <- sets[[name]]
    forms <- if (frequency(y) > 1) c(plain, seasonal) else plain
    if (name %in% c("AirPassengers", "UKgas")) forms <- c(forms, loose)
    for (form in forms) {
      damped <- grepl("d", form)
      fit <- try(ets(y, sub("d", "", form), damped = damped, restrict = FALSE), silent = TRUE)
      if (inherits(fit, "try-error")) { cat(name, form, "failed\n"); next }
      fits[[length(fits) + 1]] <- about(name, form, fit)
      if (!(form %in% c("MMN", "MMdN", "MMM", "MMdM", loose)) && name %in% c("AirPassengers", "UKgas", "WWWusage", "Nile"))
        steps_of[[length(steps_of) + 1]] <- steps(name, form, forecast(fit, h = 18))
    }
  }
  write_out(do.call(rbind, fits), "tests/oracles/ets_fixed.csv")
  write_out(do.call(rbind, steps_of), "tests/oracles/ets_forecasts.csv")
}
if (what[1] == "choice") {
  fits <- steps_of <- list()
  for (name in names(sets)) {
    ways <- list(auto = ets(sets[[name]]))
    if (!(name %in% c("co2"))) {
      ways$log <- ets(sets[[name]], lambda = 0, biasadj = TRUE)
      ways$bic <- ets(sets[[name]], ic = "bic")
      ways$multiplicative <- ets(sets[[name]], allow.multiplicative.trend = TRUE)
    }
    for (way in names(ways)) {
      fits[[length(fits) + 1]] <- about(name, way, ways[[way]])
      if (!grepl(",M,|,Md,", ways[[way]]$method)) steps_of[[length(steps_of) + 1]] <- steps(name, way, forecast(ways[[way]], h = 18))
    }
  }
  write_out(do.call(rbind, fits), "tests/oracles/ets_choice.csv")
  write_out(do.call(rbind, steps_of), "tests/oracles/ets_choice_forecasts.csv")
}
if (what[1] == "m3") {
  take <- list(monthly = c(12, 7, 80, 18), quarterly = c(4, 9, 60, 8), yearly = c(1, 13, 40, 6), other = c(1, 8, 20, 8))
  rows <- list()
  for (kind in names(take)) {
    lines <- readLines(file.path(what[2], paste0("m3_", kind, ".csv")))
    for (line in lines[seq(1, by = take[[kind]][2], length.out = take[[kind]][3])]) {
      parts <- strsplit(line, ";")[[1]]
      y <- ts(as.numeric(strsplit(parts[2], ",")[[1]]), frequency = take[[kind]][1])
      fit <- ets(y)
      mean <- forecast(fit, h = take[[kind]][4], PI = FALSE)$mean
      rows[[length(rows) + 1]] <- data.frame(kind = kind, id = parts[1], form = letters_of(fit), loglik = exact(fit$loglik),
        aicc = exact(fit$aicc), mean = joined(mean))
    }
  }
  write_out(do.call(rbind, rows), "tests/oracles/ets_m3.csv")
}
