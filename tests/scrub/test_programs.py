"""Values in the messages and command lines of programs, and in other languages."""

from __future__ import annotations

import pytest

from cassette import model
from tests.scrub import bodies
from tests.scrub.results import ran, said, written


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("influx -t 83741", "influx -t REDACTED"),
        ("ran influx -t abcd9 twice", "ran influx -t REDACTED twice"),
        ("psql -p secret", "psql -p REDACTED"),
        ("mysql -p ab", "mysql -p REDACTED"),
        ("redis-cli -a abc ping", "redis-cli -a REDACTED ping"),
        ("x -p 83741", "x -p REDACTED"),
        ("ldapsearch -w mauve", "ldapsearch -w REDACTED"),
        ("psql -p 5432", "psql -p 5432"),
        ("ab -t 30", "ab -t 30"),
    ],
)
def test_short_values_of_short_options_go_from_texts(text: str, stays: str) -> None:
    """A port, a duration and a count are kept."""
    assert said(text) == stays


@pytest.mark.parametrize(
    ("command", "stays"),
    [
        ("influx -t 83741", "influx -t REDACTED"),
        ("tool -k 4711", "tool -k REDACTED"),
        ("tool -p secret", "tool -p REDACTED"),
        ("gunicorn -w 4 -t 120 api.app:app", "gunicorn -w 4 -t 120 api.app:app"),
        ("python -m http.server 8000", "python -m http.server 8000"),
        ("python -m http.server 83741", "python -m http.server REDACTED"),
        ("python manage.py runserver 8000", "python manage.py runserver 8000"),
        ("python -m app.main 8000", "python -m app.main REDACTED"),
        ("celery --concurrency 10000", "celery --concurrency 10000"),
    ],
)
def test_numbers_in_commands_stay_where_they_are_counts_or_ports(command: str, stays: str) -> None:
    """After an option of one letter, four digits may be a PIN."""
    assert ran(*command.split()) == stays.split()


@pytest.mark.parametrize(
    ("command", "stays"),
    [
        ("java -jar /app/app.jar", "java -jar /app/app.jar"),
        ("tini -- app", "tini -- app"),
        ("npm run start:prod", "npm run start:prod"),
        ("npm run start:Kq8vx9", "npm run REDACTED"),
        ("node /usr/src/app/index.js", "node /usr/src/app/index.js"),
        ("sh /srv/run.sh", "sh /srv/run.sh"),
        ("sh /mnt/janekowal/run.sh", "sh REDACTED"),
        ("sh /home/janekowal/run.sh", "sh REDACTED"),
    ],
)
def test_files_and_scripts_of_plain_words_stay(command: str, stays: str) -> None:
    """Other words may be those of people and customers."""
    assert ran(*command.split()) == stays.split()


# Made up, in the forms of as many services.
VENDORS = (
    "sbp_" + "0a1b2c3d4e" * 4, "CLOJARS_" + "0a1b2c3d4e" * 6, "dop_v1_" + "0a1b2c3d" * 8,
    "pat-na1-e655f64e-0eef-33a2-13dc-fce27c3f46bb", "s-s4t2ud-" + "0a1b2c3d" * 8,
    "lsv2_pt_" + "0a1b2c3d" * 4 + "_0a1b2c3d4e", "xkeysib-" + "0a1b2c3d" * 8 + "-aB3dE5fG7hJ9kL1m",
    "mlsn." + "0a1b2c3d" * 8, "FLWSECK-" + "0a1b2c3d" * 4 + "-X", "SCW" + "Q7ZXKM" * 2 + "Q7ZXK",
    "3764667954:AA" + "aB3dE5fG7hJ" * 3, "rdme_" + "qwxzplmkjh" * 6,
    "persona_production_" + "aBcDeFgHiJkL" * 3, "unknown_" + "qwxzplmkjhvb" * 3,
)  # fmt: skip


@pytest.mark.parametrize("token", VENDORS)
def test_a_token_that_its_service_marks_goes_whole(token: str) -> None:
    """In texts and names; a possible credential is redacted, and no part of it is hashed."""
    for text in (f"upstream refused {token} (401)", f"init({token}) failed", f"x={token}"):
        assert said(text) == text.replace(token, "REDACTED")
    assert token[:24] not in written(bodies.described({"startedBy": f"ci/{token}"}))


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("adgangskode nikita93", "adgangskode REDACTED"),
        ("heslo: tjcrbq637", "heslo: REDACTED"),
        ("Geheimnis: etrdjt973", "Geheimnis: REDACTED"),
        ('password:="ceebyd243"', 'password:="REDACTED"'),
        ("\u015fifre: nikita81", "\u015fifre: REDACTED"),
        ("\u30c8\u30fc\u30af\u30f3: MiAz#jwHO9", "\u30c8\u30fc\u30af\u30f3: REDACTED"),
        ("identifiants: app / tvoxax829", "identifiants: REDACTED / REDACTED"),
        ("net use z: \\\\srv\\s Kq8vx9 /user:bob", "net use z: \\\\srv\\s REDACTED /user:REDACTED"),
        ("net use \\\\srv\\c$ /user:app Kq8vx9", "net use \\\\srv\\c$ /user:app REDACTED"),
        ("app:Kq8vx9Zr@(localhost)/orders", "REDACTED:REDACTED@(localhost)/orders"),
        ("principal ACCA3WU5F6LPLXAGEFBNM denied", "principal REDACTED denied"),
        ("openssl enc -aes-256-cbc -pass pass:Kq8vx9",
         "openssl enc -aes-256-cbc -pass REDACTED"),
        ("password=\\\nKq8vx9Zr", "password=\\\nREDACTED"),
        ("s?access_token=b4WF&8nonW refused", "s?access_token=REDACTED refused"),
        ("password=swYi&UcsVM;encrypt=true", "password=REDACTED;encrypt=true"),
        ("Stopped by user jane.kowalskybi", "Stopped by user user-ca55e77e-1"),
        ("CORP\\jane.kowalskyta failed", "CORP\\user-ca55e77e-1 failed"),
        ("CORP\\ulrichkowal denied", "CORP\\user-ca55e77e-1 denied"),
        ("runas /user:corp\\jkowal /password:Kq8vx9", "runas /user:REDACTED /password:REDACTED"),
        ("/p:Kq8vx9 is not an option", "/p:REDACTED is not an option"),
        ("/pw:Kq8vx9 is not an option", "/pw:REDACTED is not an option"),
        ("sudo[12]: kowalskyta : user NOT in sudoers",
         "sudo[12]: user-ca55e77e-1 : user NOT in sudoers"),
        ("Accepted publickey for jane_kowal from x",
         "Accepted publickey for user-ca55e77e-1 from x"),
        ("session opened for user root(uid=0) by jkowal2(uid=7)",
         "session opened for user root(uid=0) by user-ca55e77e-1(uid=7)"),
        ("session opened for user jkowal2(uid=7)",
         "session opened for user user-ca55e77e-1(uid=7)"),
        ("id\\u003d\\u003d511632888839", "id\\u003d\\u003d000000000002"),
        ("sqlcmd -S app -P 'Kq8vx9'", "sqlcmd -S app -P 'REDACTED'"),
        ("signing.password=Kq8vx9 signing.keyId=24875D73",
         "signing.password=REDACTED signing.keyId=REDACTED"),
        ("PDO->__construct('mysql:host=a;dbname=b;port=3306', 'app', 'Kq8vx9') in a.php",
         "PDO->__construct('mysql:host=a;dbname=b;port=3306', 'app', 'REDACTED') in a.php"),
        ('"tr0ub4dor&3" is not a valid API key', '"REDACTED" is not a valid API key'),
        ('logged in as "ina9x"', 'logged in as "user-ca55e77e-1"'),
        ("permission denied for user 7jane", "permission denied for user user-ca55e77e-1"),
        ("DB_USER=7jane", "DB_USER=user-ca55e77e-1"),
        ("Kafka: User:o-kowal9 is not authorized", "Kafka: User:user-ca55e77e-1 is not authorized"),
        ('git config user.name "jane.kowal"', 'git config user.name "user-ca55e77e-1"'),
        ("janekowal is not in the sudoers file", "user-ca55e77e-1 is not in the sudoers file"),
        ("Failed password for invalid user j.long from x",
         "Failed password for invalid user user-ca55e77e-1 from x"),
        ("keytool -storepass Kq8vx9 -keypass Kq8vx8",
         "keytool -storepass REDACTED -keypass REDACTED"),
        ("sshpass -p sunflower ssh x", "sshpass -p REDACTED ssh x"),
        ("password\u2192Kq8vx9", "password\u2192REDACTED"),
        ("password-reset: exited with code 137", "password-reset: exited with code 137"),
        ("at java.base/jdk.internal.reflect.DirectMethodHandleAccessor.invoke(A.java:103)",
         "at java.base/jdk.internal.reflect.DirectMethodHandleAccessor.invoke(A.java:103)"),
        ("find . -prune -o -print", "find . -prune -o -print"),
        ("octal \\101\\102\\103\\104", "octal \\101\\102\\103\\104"),
        ("-u and -p are mutually exclusive", "-u and -p are mutually exclusive"),
        ("approved by jane.kowal", "approved by user-ca55e77e-1"),
        ("owner: jane.kowal", "owner: user-ca55e77e-1"),
        ("(service password-reset) has reached a steady state.",
         "(service password-reset) has reached a steady state."),
        ("cannot fetch token: 401 Unauthorized", "cannot fetch token: 401 Unauthorized"),
        ("--password is required", "--password is required"),
        ("INSERT INTO tokens (id, value) VALUES ($1, $2)",
         "INSERT INTO tokens (id, value) VALUES ($1, $2)"),
        ("a_b.exceptions.InvalidToken: Token is invalid",
         "a_b.exceptions.InvalidToken: Token is invalid"),
        ('WWW-Authenticate: Bearer realm="api"', 'WWW-Authenticate: Bearer realm="api"'),
        ("/run/secrets/kubernetes.io/serviceaccount/token not mounted",
         "/run/secrets/kubernetes.io/serviceaccount/token not mounted"),
        ("mysqli->__construct('a', 'app', 'Kq8vx')", "mysqli->__construct('a', 'app', 'REDACTED')"),
        ("pam_unix(login:auth): failure; logname= uid=0 ruser=janekowal rhost=",
         "pam_unix(login:auth): failure; logname= uid=0 ruser=user-ca55e77e-1 rhost="),
        ("license 5f4e3d2c1b0a99887766554433221100ffeeNRAL invalid", "license REDACTED invalid"),
        ("the PIN is 83741", "the PIN is REDACTED"),
        ("token is 4096 bytes", "token is 4096 bytes"),
        ("GRANT ALL ON a.* TO 'jane_kowal'@'%'", "GRANT ALL ON a.* TO 'user-ca55e77e-1'@'%'"),
        ("port=5432 user=jane_kowal password=sunflower sslmode=require",
         "port=5432 user=user-ca55e77e-1 password=REDACTED sslmode=require"),
        ("ACL SETUSER app on >Kq8vx9 ~*", "ACL SETUSER app on >REDACTED ~*"),
        ("net user janekowal Kq8vx9 /add", "net user user-ca55e77e-1 REDACTED /add"),
        ('ConvertTo-SecureString "Kq8vx9" -AsPlainText',
         'ConvertTo-SecureString "REDACTED" -AsPlainText'),
        ('db.getConnection(url, "app", "Kq8vx9")', 'db.getConnection(url, "app", "REDACTED")'),
        ("pymysql.connect('h', 'app', 'Kq8vx9')", "pymysql.connect('h', 'app', 'REDACTED')"),
        ("smtp.login('app', 'Kq8vx9')", "smtp.login('app', 'REDACTED')"),
        ("ssh janekowal@10.9.8.7", "ssh user-ca55e77e-1@198.18.0.1"),
        ('getpwnam("janekowal") failed', 'getpwnam("user-ca55e77e-1") failed'),
        ("id: janekowal: no such user", "id: user-ca55e77e-1: no such user"),
        ("crontab: user `janekowal' unknown", "crontab: user `user-ca55e77e-1' unknown"),
        ("cannot find user janekowal: no entry", "cannot find user user-ca55e77e-1: no entry"),
        ('user_name => "janekowal"', 'user_name => "user-ca55e77e-1"'),
        ("user => 'none'", "user => 'none'"),
        ("socket.connect('localhost', 80) failed", "socket.connect('localhost', 80) failed"),
        ("docker run -p '8080:80' web", "docker run -p '8080:80' web"),
        ("credentials=('app', 'Kq8vx9')", "credentials=REDACTED"),
        ("password: [\"server\", \"app\"]", "password: REDACTED"),
        ("tokens=[]", "tokens=[]"),
        ("mailto:janekowal@corp.test", "mailto:user-1@example.com"),
        ("mailto:jane7@corp.test", "mailto:user-1@example.com"),
        ("contact:janekowal@corp.test", "contact:user-1@example.com"),
        ("EXEC sp_addlogin 'app', 'Kq8vx9', 'db'", "EXEC sp_addlogin 'app', 'REDACTED', 'db'"),
        ("EXEC master..sp_password 'Kq8vx8', 'Kq8vx9'",
         "EXEC master..sp_password 'REDACTED', 'REDACTED'"),
        ("exec sp_setapprole 'role', 'Kq8vx9'", "exec sp_setapprole 'role', 'REDACTED'"),
        ("mysql.rds_set_external_master('h', 3306, 'app', 'Kq8vx9')",
         "mysql.rds_set_external_master('h', 3306, 'app', 'REDACTED')"),
        ("select aes_encrypt('x', 'Kq8vx9')", "select aes_encrypt('x', 'REDACTED')"),
        ("cannot open WINDOWS\\system32", "cannot open WINDOWS\\system32"),
        ("NT SERVICE\\MSSQLSERVER denied", "NT SERVICE\\MSSQLSERVER denied"),
        ("HKLM\\Kowalsky is missing", "HKLM\\Kowalsky is missing"),
        ("cannot open BIN\\kowal.dll", "cannot open BIN\\kowal.dll"),
        ("msbuild /p:Configuration=Release", "msbuild /p:Configuration=Release"),
        ("POST /login: 401 from client7", "POST /login: 401 from client7"),
        ("aws:PrincipalOrgID=ou-ab12-yxcnyopu", "aws:PrincipalOrgID=ou-000010000ca55e77e"),
        ("Kq8vx!NBJ: wrong password", "REDACTED: wrong password"),
        ("unseal key Kq8vx9Zr", "unseal key REDACTED"),
        ("postgres:\\/\\/app:heron60@cache-7.qzacme.io\\/x",
         "postgres:\\/\\/REDACTED:REDACTED@host-1.example\\/x"),
        ("valid for quandrixcdq.\u0440\u0444, not x", "valid for host-1.example, not x"),
        ("account ID 3908:6352:9941 is", "account ID 0000:0000:0002 is"),
        ("account ID 7717, 0614, 6151 is", "account ID 0000, 0000, 0002 is"),
        ("ports 8181, 8443, 9091", "ports 8181, 8443, 9091"),
        ("Hibernate ORM core version 6.4.1.Final", "Hibernate ORM core version 6.4.1.Final"),
    ],
)  # fmt: skip
def test_values_in_other_languages_and_programs_go(text: str, stays: str) -> None:
    """Words for secrets, and commands that take them."""
    assert said(text) == stays


def test_after_none_nothing_of_a_health_check_stays() -> None:
    """The first word is Docker's, so the second one is not a program."""
    check = {"healthCheck": {"command": ["NONE", "EkCqefiDN"]}}
    definition = {"taskDefinition": {"containerDefinitions": [check]}}
    recording = bodies.cassette(("DescribeTaskDefinition", {}, model.Response(definition)))
    assert "EkCqefiDN" not in written(recording)
    assert ran("nginx", "-g", "daemon off;") == ["nginx", "-g", "daemon off;"]
    assert ran("app", "--kennwort", "83764") == ["app", "--kennwort", "REDACTED"]


def test_a_value_that_is_glued_to_the_name_of_a_variable_goes() -> None:
    """The name itself stays."""
    variables = [{"name": "TOKEN:hw6ro4Pjw", "value": "x"}, {"name": "LOG_LEVEL", "value": "info"}]
    override = {"containerOverrides": [{"name": "web", "environment": variables}]}
    text = written(bodies.described({"overrides": override}))
    assert "hw6ro4Pjw" not in text
    assert "LOG_LEVEL" in text


@pytest.mark.parametrize(
    ("command", "stays"),
    [
        ("vault login -method=userpass username=a password=r5c7SXcPA",
         "vault login -method=REDACTED username=REDACTED password=REDACTED"),
        ("probe -addr=:50051 -rpc-header=token:9BcxjGX24",
         "probe -addr=:50051 -rpc-header=REDACTED"),
        ("bundle exec puma -p 3000", "bundle exec puma -p 3000"),
        ("psql -p 3000", "psql -p REDACTED"),
        ("app --password --cZgBBbUgI", "app --password REDACTED"),
        ("app --token-JYpPPioOt", "app REDACTED"),
        ("app --authToken Kq8v", "app --authToken REDACTED"),
        # A property may have the ending of a private network in it; a host may be an option.
        ("app --db.private-key=x", "app --db.private-key=REDACTED"),
        ("app --db.private-key 83741", "app --db.private-key REDACTED"),
        ("app --db.local-cache 5", "app --db.local-cache 5"),
        ("db.private-key=x", "db.private-key=REDACTED"),
        ("java -Dcache.internal-ttl=5 -Dcatalina.home=/x",
         "java -Dcache.internal-ttl=5 -Dcatalina.home=REDACTED"),
        ("app --db.qzacme.internal 5", "app --REDACTED 5"),
        ("java -Ddb.qzacme.internal=5 app.jar", "java -DREDACTED=5 app.jar"),
        ("app db.qzacme.internal=x", "app REDACTED=REDACTED"),
        ("gunicorn db.qzacme.internal:app", "gunicorn REDACTED"),
        ("python -m db.qzacme.internal", "python -m REDACTED"),
        ("app --bind=10.1.2.3", "app --bind=198.18.0.1"),
    ],
)  # fmt: skip
def test_a_command_that_was_scrubbed_stays_as_it_is(command: str, stays: str) -> None:
    """Scrubbing it again changes nothing, whatever precedes the redacted values."""
    assert ran(*command.split()) == stays.split()
    assert ran(*stays.split()) == stays.split()
