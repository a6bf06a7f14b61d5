"""A `client.properties` as the makers of Kafka's distributions hand it out is understood, or each line that is not says why
and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from cli.settings import Settings
from runtime.client_properties import LOGINS, NOT_OURS, OURS, read
from runtime.configuration import load
from runtime.errors import SettingsError
from runtime.properties_format import entries
from runtime.settings import KafkaSettings

SECRET = "S3CR3Tx"

UNDERSTOOD: dict[str, tuple[str, dict[str, str]]] = {
    "a cloud's key and secret, with the settings of its registry": (
        """
        # Required connection configs for producer, consumer, and admin
        bootstrap.servers=pkc-ab1cd.eu-central-1.aws.example.cloud:9092
        security.protocol=SASL_SSL
        sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username='K12' password='S3CR3Tx';
        sasl.mechanism=PLAIN
        # Required for correctness in clients prior to 2.6
        client.dns.lookup=use_all_dns_ips
        # Best practice for higher availability
        session.timeout.ms=45000
        acks=all
        client.id=ccloud-java-client-6f1b
        schema.registry.url=https://psrc-xyz.example.cloud
        basic.auth.credentials.source=USER_INFO
        basic.auth.user.info=SRKEY:SRSECRET
        """,
        {
            "bootstrap_servers": "pkc-ab1cd.eu-central-1.aws.example.cloud:9092",
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "PLAIN",
            "sasl_username": "K12",
            "sasl_password": SECRET,
            "session_timeout_ms": "45000",
        },
    ),
    "a cloud's tokens with its extensions": (
        r"""
        security.protocol=SASL_SSL
        sasl.mechanism=OAUTHBEARER
        sasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler
        sasl.login.connect.timeout.ms=15000
        sasl.oauthbearer.token.endpoint.url=https://login.example/oauth2/token
        sasl.jaas.config= \
          org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
            clientId='app' \
            clientSecret='S3CR3Tx' \
            scope='api://kafka/.default' \
            extension_logicalCluster='lkc-123' \
            extension_identityPoolId='pool-9';
        """,
        {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_oauthbearer_token_endpoint_url": "https://login.example/oauth2/token",
            "sasl_oauthbearer_client_id": "app",
            "sasl_oauthbearer_client_secret": SECRET,
            "sasl_oauthbearer_scope": "api://kafka/.default",
            "sasl_oauthbearer_extensions": "logicalCluster=lkc-123,identityPoolId=pool-9",
        },
    ),
    "tokens by the names of Kafka 4.1": (
        """
        security.protocol = SASL_SSL
        sasl.mechanism = OAUTHBEARER
        sasl.jaas.config = org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required ;
        sasl.oauthbearer.token.endpoint.url = https://id.example/realms/kafka/protocol/openid-connect/token
        sasl.oauthbearer.client.credentials.client.id = media
        sasl.oauthbearer.client.credentials.client.secret = S3CR3Tx
        sasl.oauthbearer.scope = kafka
        """,
        {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_oauthbearer_token_endpoint_url": "https://id.example/realms/kafka/protocol/openid-connect/token",
            "sasl_oauthbearer_client_id": "media",
            "sasl_oauthbearer_client_secret": SECRET,
            "sasl_oauthbearer_scope": "kafka",
        },
    ),
    "a managed cluster's SCRAM, the JDK's authorities being enough": (
        """
        security.protocol=SASL_SSL
        sasl.mechanism=SCRAM-SHA-512
        sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\
           username="alice" password="S3CR3Tx";
        """,
        {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": "alice",
            "sasl_password": SECRET,
        },
    ),
    "an operator's user with a certificate, in PEM": (
        """
        bootstrap.servers=my-cluster-kafka-bootstrap:9093
        security.protocol=SSL
        ssl.truststore.type=PEM
        ssl.truststore.location=/opt/certs/ca.crt
        ssl.keystore.type=PEM
        ssl.keystore.location=/opt/certs/user.pem
        ssl.key.password=S3CR3Tx
        ssl.endpoint.identification.algorithm=HTTPS
        ssl.enabled.protocols=TLSv1.2,TLSv1.3
        """,
        {
            "bootstrap_servers": "my-cluster-kafka-bootstrap:9093",
            "security_protocol": "SSL",
            "ssl_cafile": "/opt/certs/ca.crt",
            "ssl_certfile": "/opt/certs/user.pem",
            "ssl_key_password": SECRET,
        },
    ),
    "librdkafka's names": (
        """
        metadata.broker.list=b1:9093,b2:9093
        security.protocol=ssl
        ssl.ca.location=ca.pem
        ssl.certificate.location=service.cert
        ssl.key.location=service.key
        """.replace("=ssl\n", "=SSL\n"),
        {
            "bootstrap_servers": "b1:9093,b2:9093",
            "security_protocol": "SSL",
            "ssl_cafile": "ca.pem",
            "ssl_certfile": "service.cert",
            "ssl_keyfile": "service.key",
        },
    ),
    "librdkafka's tokens": (
        """
        sasl.mechanisms=OAUTHBEARER
        sasl.oauthbearer.method=oidc
        sasl.oauthbearer.client.id=media
        sasl.oauthbearer.client.secret=S3CR3Tx
        sasl.oauthbearer.token.endpoint.url=https://id.example/token
        sasl.oauthbearer.extensions=a=b
        """,
        {
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_oauthbearer_client_id": "media",
            "sasl_oauthbearer_client_secret": SECRET,
            "sasl_oauthbearer_token_endpoint_url": "https://id.example/token",
            "sasl_oauthbearer_extensions": "a=b",
        },
    ),
    "a module alone names PLAIN": (
        'sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="a" password="b";',
        {"sasl_mechanism": "PLAIN", "sasl_username": "a", "sasl_password": "b"},
    ),
    "of two lines of a key the last, and nothing for an empty value": (
        "sasl.username=a\nsasl.username=b\nsasl.password=\n",
        {"sasl_username": "b"},
    ),
}

SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
REFUSED: dict[str, tuple[str, list[str]]] = {
    "a managed cluster's IAM": (
        """security.protocol=SASL_SSL
sasl.mechanism=AWS_MSK_IAM
sasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required;
sasl.client.callback.handler.class=software.amazon.msk.auth.iam.IAMClientCallbackHandler
""",
        ["line 2: sasl.mechanism: AWS_MSK_IAM is not supported", "line 3: sasl.jaas.config: MSK's IAM is not supported",
         "line 4: sasl.client.callback.handler.class: MSK's IAM is not supported"],
    ),
    "Kerberos": (
        """sasl.mechanism=GSSAPI
sasl.kerberos.service.name=kafka
sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab="/etc/k" principal="a@B";
""",
        ["line 1: sasl.mechanism: GSSAPI is not supported", "line 2: sasl.kerberos.service.name: Kerberos is not supported",
         "line 3: sasl.jaas.config: Kerberos is not supported"],
    ),
    "a service's stores of Java": (
        f"""security.protocol=SSL
ssl.protocol=TLS
ssl.key.password={SECRET}
ssl.keystore.location=/certs/client.keystore.p12
ssl.keystore.password={SECRET}
ssl.keystore.type=PKCS12
ssl.truststore.location=/certs/client.truststore.jks
ssl.truststore.password={SECRET}
""",
        ["line 6: ssl.keystore.type: PKCS12: Java's key stores are not read here",
         "line 7: ssl.truststore.location: Java's key stores are not read here"],
    ),
    "a store with no name for one": (
        f"ssl.truststore.location=/certs/trust\nssl.truststore.password={SECRET}\n",
        ["line 2: ssl.truststore.password: Java's key stores are not read here"],
    ),
    "a password of a PEM file": (
        f"ssl.truststore.type=PEM\nssl.truststore.location=a.jks\nssl.truststore.password={SECRET}\n",
        ["line 3: ssl.truststore.password: a PEM file has no password"],
    ),
    "keys in the file itself": (
        f"ssl.keystore.key=-----BEGIN PRIVATE KEY-----\\n{SECRET}\\n-----END PRIVATE KEY-----\n",
        ["line 1: ssl.keystore.key: keys in the file itself are not read: write it into a PEM file"],
    ),
    "names that nobody looks at": (
        "ssl.endpoint.identification.algorithm=\n",
        ["line 1: ssl.endpoint.identification.algorithm: the name in a broker's certificate is always verified"],
    ),
    "values from elsewhere": (
        "config.providers=file\nssl.key.password=${file:/opt/keys:password}\n",
        ["line 1: config.providers: values are not looked up", "line 2: ssl.key.password: values are not looked up"],
    ),
    "misspelt and unknown names": (
        f"sasl.mechanisn=PLAIN\nsasl.passwrd={SECRET}\nfrobnicate=1\n",
        ["line 1: sasl.mechanisn: no setting of a Kafka client; did you mean sasl.mechanism?",
         "line 2: sasl.passwrd: no setting of a Kafka client; did you mean sasl.password?",
         "line 3: frobnicate: no setting of a Kafka client; take the line out"],
    ),
    "a module of another mechanism": (
        f'sasl.mechanism=PLAIN\nsasl.jaas.config={SCRAM} required username="a" password="{SECRET}";\n',
        ["line 2: sasl.jaas.config: ScramLoginModule does not belong to sasl.mechanism PLAIN"],
    ),
    "an option that nobody knows": (
        f'sasl.jaas.config={SCRAM} required username="a" passwort="{SECRET}";\n',
        ["line 1: sasl.jaas.config: option passwort is not known here: username, password are"],
    ),
    "no semicolon": (
        f'sasl.jaas.config={SCRAM} required username="a" password="{SECRET}"\n',
        ['line 1: sasl.jaas.config: does not end with ";"'],
    ),
    "a quote that does not end": (
        f'sasl.jaas.config={SCRAM} required username="a" password="{SECRET};\n',
        ["line 1: sasl.jaas.config: has a quote that does not end"],
    ),
    "a secret that is not quoted": (
        f"sasl.jaas.config={SCRAM} required username=a password={SECRET}=x;\n",
        ["line 1: sasl.jaas.config: options are written"],
    ),
    "two modules": (
        f'sasl.jaas.config={SCRAM} required username="a" password="b"; {SCRAM} required;\n',
        ["line 1: sasl.jaas.config: has several modules"],
    ),
    "half of a sign": ("sasl.password=\\u12\n", ["line 1: \\u wants four hexadecimal digits"]),
    "another kind of client": (
        "sasl.login.callback.handler.class=com.example.MyHandler\n",
        ["line 1: sasl.login.callback.handler.class: is a Java class"],
    ),
    "old versions of TLS": ("ssl.enabled.protocols=TLSv1\n", ["line 1: ssl.enabled.protocols: TLS 1.2 and 1.3"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNDERSTOOD)
def test_what_is_handed_out_is_understood(kind: str) -> None:
    text, settings = UNDERSTOOD[kind]
    assert read(text) == settings


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_supported_is_reported_line_by_line(kind: str) -> None:
    text, faults = REFUSED[kind]
    with pytest.raises(SettingsError) as refused:
        read(text)
    assert len(refused.value.faults) == len(faults)
    for reported, begun in zip(refused.value.faults, faults, strict=True):
        assert reported.startswith(f"CATALOGIZER_KAFKA__PROPERTIES_FILE: {begun}")
        assert SECRET not in reported


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("a=b", [("a", "b")]),
        ("a:b\nc d\r\n\te\t=\tf\t", [("a", "b"), ("c", "d"), ("e", "f")]),
        ("# c\n! c\n\n a=#b!", [("a", "#b!")]),
        ("a=b\\\n   c\nd", [("a", "bc"), ("d", "")]),
        ("a=b\\\\\nc=d", [("a", "b\\"), ("c", "d")]),
        ("a\\=b\\ c=\\u00e4\\t.\\q", [("a=b c", "ä\t.q")]),
        ("a==b", [("a", "=b")]),
        ("a=b\\", [("a", "b")]),
        ("a\\\n  b=c", [("ab", "c")]),
    ],
)
def test_properties_are_read_as_java_reads_them(text: str, pairs: list[tuple[str, str]]) -> None:
    assert [(entry.key, entry.value) for entry in entries(text)] == pairs


@given(st.dictionaries(st.text(min_size=1), st.text().map(str.strip)))
def test_what_is_written_with_every_sign_escaped_is_read_back(pairs: dict[str, str]) -> None:
    def escaped(text: str) -> str:
        units = text.encode("utf-16-be", "surrogatepass")
        codes = (units[at : at + 2].hex() for at in range(0, len(units), 2))
        return "".join(f"\\u{code}" for code in codes)

    def joined(text: str) -> str:
        return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")

    text = "\n".join(f"{escaped(key)}={escaped(value)}" for key, value in pairs.items())
    found = {joined(entry.key): joined(entry.value) for entry in entries(text)}
    assert found == pairs


def test_the_settings_of_the_file_are_settings_and_none_has_two_meanings() -> None:
    assert set(OURS.values()) <= set(KafkaSettings.model_fields)
    assert not NOT_OURS & OURS.keys()
    assert frozenset().union(*LOGINS.values()) == {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text(
        f"bootstrap.servers=a:1,b:2\nsasl.username=alice\nsasl.password={SECRET}\nssl.ca.location=/ca.pem\n"
    )
    monkeypatch.setenv("CATALOGIZER_KAFKA__PROPERTIES_FILE", str(file))
    monkeypatch.setenv("CATALOGIZER_KAFKA__SASL_USERNAME", "bob")
    kafka = load(Settings).kafka
    assert kafka.bootstrap_servers == "a:1,b:2"
    assert kafka.sasl_username == "bob"
    assert kafka.sasl_password == SecretStr(SECRET)
    assert kafka.ssl_cafile == Path("/ca.pem")
    assert SECRET not in repr(kafka)


def test_faults_of_the_file_stand_beside_all_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text(f"frobnicate={SECRET}\n")
    monkeypatch.setenv("CATALOGIZER_KAFKA__PROPERTIES_FILE", str(file))
    monkeypatch.setenv("CATALOGIZER_GATEWAY__PROT", "1")
    with pytest.raises(SettingsError) as refused:
        load(Settings)
    assert [fault.partition(":")[0] for fault in refused.value.faults] == [
        "CATALOGIZER_GATEWAY__PROT",
        "CATALOGIZER_KAFKA__PROPERTIES_FILE",
    ]
    assert SECRET not in str(refused.value)


def test_a_value_of_the_file_that_cannot_be_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "client.properties"
    file.write_text(f"security.protocol=TLS\nsasl.password={SECRET}\n")
    monkeypatch.setenv("CATALOGIZER_KAFKA__PROPERTIES_FILE", str(file))
    with pytest.raises(SettingsError, match="CATALOGIZER_KAFKA__SECURITY_PROTOCOL") as refused:
        load(Settings)
    assert SECRET not in str(refused.value)
