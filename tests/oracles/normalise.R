# Writes normalise_lambda.csv, normalise_values.csv and normalise_forecasts.csv: what R's package forecast makes of
# transformed series. Run as: Rscript tests/oracles/normalise.R   (needs the R package forecast)
suppressMessages(library(forecast))
version <- paste0("# R ", getRversion(), ", forecast ", packageVersion("forecast"),
                  ": Rscript tests/oracles/normalise.R; tolerances stand in tests/all/normalise.rs")
write_out <- function(values, file) {
  writeLines(version, file)
  suppressWarnings(write.table(values, file, append = TRUE, sep = ",", quote = FALSE, row.names = FALSE))
}
exact <- function(x) sprintf("%.15g", x)
# The series of series.csv, written by benchmarks.R, and some that stand here alone.
sets <- list(AirPassengers = AirPassengers, USAccDeaths = USAccDeaths, nottem = nottem, ldeaths = ldeaths,
             co2 = co2, UKgas = UKgas, JohnsonJohnson = JohnsonJohnson, Nile = Nile, lynx = lynx, WWWusage = WWWusage,
             LakeHuron = LakeHuron)

# 1. lambda = BoxCox.lambda(y, method = "guerrero", lower = -1, upper = 2)
lambda <- sapply(sets, BoxCox.lambda, method = "guerrero", lower = -1, upper = 2)
# One with missing values, one too short for an estimate, and one of the package's own.
holes <- AirPassengers; holes[c(3, 40, 41, 100)] <- NA
lambda <- c(lambda, AirPassengers_holes = BoxCox.lambda(holes), AirPassengers_short = BoxCox.lambda(head(AirPassengers, 24)),
            woolyrnq = BoxCox.lambda(woolyrnq))
write_out(data.frame(series = names(lambda), lambda = exact(lambda)), "tests/oracles/normalise_lambda.csv")
write_out(data.frame(t = seq_along(woolyrnq), y = as.numeric(woolyrnq)), "tests/oracles/woolyrnq.csv")

# 2. BoxCox(y, lambda), InvBoxCox(z, lambda), InvBoxCox(z, lambda, biasadj = TRUE, fvar = sd^2)
grid <- expand.grid(lambda = c(-1, -0.3, 0, 0.25, 0.5, 1, 1.7), y = c(0.2, 1, 7, 432), share = c(0.02, 0.15))
grid$z <- mapply(BoxCox, grid$y, grid$lambda)
# A spread on the transformed scale in proportion to the distance from where the transformation ends.
grid$sd <- grid$share * (1 + grid$lambda * grid$z)
grid$back <- mapply(function(z, l) InvBoxCox(z, l), grid$z, grid$lambda)
grid$mean <- mapply(function(z, l, v) as.numeric(InvBoxCox(z, l, biasadj = TRUE, fvar = v)), grid$z, grid$lambda, grid$sd^2)
write_out(data.frame(lapply(grid[c("lambda", "y", "z", "sd", "back", "mean")], exact)), "tests/oracles/normalise_values.csv")

# 3. Forecasts on the transformed scale brought back, biasadj = TRUE. `log`: lambda = 0; `box-cox`: lambda by Guerrero;
#    `log1p`: forecast of log(1 + y), mean exp(mu + sd^2 / 2) - 1, interval ends exp(.) - 1.
one <- function(series, normalise, method, lambda, f)
  data.frame(series = series, normalise = normalise, method = method, lambda = exact(lambda), h = seq_along(f$mean),
             mean = exact(as.numeric(f$mean)), lo80 = exact(as.numeric(f$lower[, 1])), hi80 = exact(as.numeric(f$upper[, 1])),
             lo95 = exact(as.numeric(f$lower[, 2])), hi95 = exact(as.numeric(f$upper[, 2])))
forecasters <- list(naive = function(y, ...) naive(y, h = 18, ...), drift = function(y, ...) rwf(y, drift = TRUE, h = 18, ...),
                    seasonal_naive = function(y, ...) snaive(y, h = 18, ...))
answers <- do.call(rbind, lapply(c("AirPassengers", "USAccDeaths", "UKgas", "Nile", "co2"), function(s) {
  y <- sets[[s]]
  do.call(rbind, lapply(names(forecasters), function(m) {
    f <- forecasters[[m]]
    l <- lambda[[s]]
    logged <- f(log1p(y))
    sd <- (logged$upper[, 2] - logged$mean) / qnorm(0.975)
    logged$mean <- exp(logged$mean + sd^2 / 2) - 1
    logged$lower <- exp(logged$lower) - 1
    logged$upper <- exp(logged$upper) - 1
    rbind(one(s, "log", m, 0, f(y, lambda = 0, biasadj = TRUE)), one(s, "box-cox", m, l, f(y, lambda = l, biasadj = TRUE)),
          one(s, "log1p", m, NaN, logged))
  }))
}))
write_out(answers, "tests/oracles/normalise_forecasts.csv")
