# On any machine with cloud-init, here or at home: a container under systemd. User data can be read by everybody who may describe
# the machine, so it contains no secret: each is a file that the operator creates, and the unit waits until it exists.

locals {
  host_folder = "/etc/catalogizer/secrets"

  host_files = merge(
    local.signs_in ? { "kafka-password" = "${local.kafka_names.password}_FILE" } : {},
    { for file in values(local.kafka_files) : file => null },
    length(local.shares) == 0 ? {} : { "share-password" = null },
  )

  host_environment = merge(local.environment, {
    for file, variable in local.host_files : variable => "/run/catalogizer/${file}" if variable != null
  })

  # A list, because in a template a line that ends with a backslash would be followed by an empty one.
  run = concat(
    [
      "/usr/bin/docker run --rm --name catalogizer-watch --init --network host --user ${local.uid}:${local.uid}",
      "--read-only --tmpfs /tmp:mode=1777,size=256m --cap-drop ALL --security-opt no-new-privileges --memory 2g --pids-limit 200",
      "--env-file /etc/catalogizer/watch.env",
      "--volume ${local.state}:${local.state}",
      "--volume ${local.host_folder}:/run/catalogizer:ro",
    ],
    [for root in local.local_ : "--volume ${root.path}:${root.path}:ro"],
    ["${var.image} watch"],
  )

  unit = join("\n", concat(
    [
      "[Unit]",
      "Description=Catalogizer: ${var.producer_name} watches the storage",
      "Wants=network-online.target",
      "After=network-online.target docker.service",
      "Requires=docker.service",
    ],
    [for file in keys(local.host_files) : "ConditionPathExists=${local.host_folder}/${file}"],
    [
      "RequiresMountsFor=${join(" ", concat([local.state], local.local_[*].path))}",
      "",
      "[Service]",
      "ExecStartPre=-/usr/bin/docker rm --force catalogizer-watch",
      "ExecStart=${join(" \\\n  ", local.run)}",
      "ExecStop=/usr/bin/docker stop --time 30 catalogizer-watch",
      "Restart=always",
      "RestartSec=5",
      "TimeoutStopSec=45",
      "",
      "[Install]",
      "WantedBy=multi-user.target",
      "",
    ],
  ))

  user_data = {
    packages = ["docker.io"]
    write_files = [
      { path = "/etc/catalogizer/watch.env", permissions = "0644", content = join("", [for name in sort(keys(local.host_environment)) : "${name}=${local.host_environment[name]}\n"]) },
      { path = "/etc/systemd/system/catalogizer-watch.service", permissions = "0644", content = local.unit },
    ]
    runcmd = [
      ["install", "-d", "-m", "0700", "-o", tostring(local.uid), "-g", tostring(local.uid), local.state, local.host_folder],
      ["systemctl", "daemon-reload"],
      ["systemctl", "enable", "--now", "docker.service", "catalogizer-watch.service"],
    ]
  }

  cloud_init = join("\n", ["#cloud-config", yamlencode(local.user_data)])
}
