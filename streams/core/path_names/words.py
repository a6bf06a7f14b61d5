"""The words by which paths are read: data of the rules, so that a replay reads paths as the live run did.

Lists are words separated by spaces, with `+` for a space inside a word, all in lower case.
"""

from __future__ import annotations

from msgspec import Struct, structs


class PathWords(Struct, frozen=True):
    """`films`, `shows`, `anime`, `home`, `music`, `audiobooks`, `books`, `comics`, `photos`: names of folders that
    contain such files · `holding`: folders that contain anything and are not a title · `genres`: likewise · `various`:
    folders of several artists · `season`: words before the number of a season · `specials`: folders that are season 0 ·
    `episode`: words before the number of an episode · `extras`: folders by the category of their files · `endings`:
    endings of names, likewise · `release`: regular expression of words that belong to a release name and never to a
    title · `release_too`: of words that do so next to one of these or after a year, but may be in a title · `editions`:
    regular expression · `nameless`: uninformative file names · `articles`: articles that may be after a comma ·
    `last_year`: no title's year is later."""

    films: str
    shows: str
    anime: str
    home: str
    music: str
    audiobooks: str
    books: str
    comics: str
    photos: str
    holding: str
    genres: str
    various: str
    season: str
    specials: str
    episode: str
    extras: tuple[tuple[str, str], ...]
    endings: tuple[tuple[str, str], ...]
    release: str
    release_too: str
    editions: str
    nameless: str
    articles: str
    last_year: int


class MorePathWords(PathWords, frozen=True):
    """`several`, `anywhere`, `in_show`, `in_season`: regular expressions of an episode's number, tried with the others
    of the same kind, the first one before them: several episodes or one that is just as unambiguous, for a file
    anywhere but among films, in the folder of a show, in the folder of a season; a `season` in one must be that of the
    folder, if that is known · `special`: the number of a special, in a folder of specials · `whole`: words after a
    show's name that mean that it is complete · `numbers`: words for one, two, three, …, one row per language, for
    seasons that are spelled out · `season_folder`: the folder of a season, below that of its show; `seasons_folder`: a
    folder with several · `makers`: artists, albums, authors and series are read as well · `title_behind`: in a name
    that begins with its number the title is read after it, and a show's folder is also recognised without its year."""

    several: tuple[str, ...]
    anywhere: tuple[str, ...]
    special: str
    in_show: tuple[str, ...]
    in_season: tuple[str, ...]
    whole: str
    numbers: tuple[str, ...]
    season_folder: str
    seasons_folder: str
    makers: bool
    title_behind: bool


WORDS_3 = PathWords(
    films=(
        "movie movies film films filme kino cinema cine kinofilme spielfilme peliculas películas"
        " pelis filmy filmer filmes"
        " filmek фильмы кино ταινίες סרטים أفلام 电影 電影 映画 영화 movies+4k 4k+movies"
        " uhd+movies movies+(uhd) movies+hd"
        " kids+movies my+movies spielfilm films+vf dvd+rips blu-rays blurays blu-ray"
    ),
    shows=(
        "tv tvshows tv+shows tv-shows tv_shows television shows series tv+series tvseries serien"
        " fernsehserien seriale seriály"
        " serialy serie seriez séries сериалы σειρές סדרות مسلسلات 电视剧 剧集 ドラマ 드라마 my+shows kids+tv"
        " mini-series miniseries mini+series daily+shows talk+shows late+night serie+tv séries+tv"
        " series+tv serietv diziler dizi"
        " sorozatok seriály seriály+cz programy shows+tv tv-serien tv+serien tv-series serials телесериалы"
    ),
    anime="anime animes アニメ anime+series anime+shows 动漫 動畫 애니",
    home=(
        "home homevideo homevideos home+videos home+video home+movies familie family"
        " familienvideos family+videos camera"
        " camera+roll camera+uploads dcim phone handy iphone android gopro drone dji camcorder"
        " videos+phone urlaub holiday"
        " holidays vacation whatsapp whatsapp+video whatsapp+videos privat private personal"
        " privatvideos vidéos+famille"
        " vidéos+de+famille vídeos+familiares videos+familiares video+di+famiglia домашнее+видео"
        " rodinná+videa filmy+rodzinne"
        " hemvideo hjemmevideo family+films our+videos kids+videos baby+videos wedding"
    ),
    music=(
        "music musik musique música musica muzyka hudba zene mp3 flac lossless songs audio alben"
        " albums müzik музыка μουσική"
        " 音乐 音楽 음악 soundtracks klassik"
    ),
    audiobooks=(
        "audiobook audiobooks audio+books hörbuch hörbücher hoerbuch hoerbuecher hörspiele"
        " livres+audio audiolibros audiolibri"
        " audioknihy audioboeken аудиокниги オーディオブック"
        " audiobooki 有声书 有聲書 오디오북 hörbuecher luisterboeken ljudböcker lydbøger"
        " äänikirjat hangoskönyvek luisterboek livre+audio"
    ),
    books=(
        "books book ebooks ebook e-books bücher buecher livres libros libri książki knihy книги"
        " βιβλία 本 书籍 calibre calibre+library library reading novels"
    ),
    comics=(
        "comics comic manga mangas bd bandes+dessinées graphic+novels manhwa webtoons マンガ 漫画"
        " 만화 комиксы komiksy fumetti tebeos cómics"
    ),
    photos="photos photo pictures bilder fotos images camera dcim",
    holding=(
        "download downloads complete completed incomplete torrent torrents usenet nzb sabnzbd"
        " finished done incoming unsorted"
        " _unsorted unsortiert new+folder neuer+ordner nouveau+dossier new neu nuevo misc stuff"
        " temp tmp media media1 media2"
        " media3 share shares shared public data storage nas disk disk1 disk2 hdd usb volume1"
        " volume2 video videos vids"
        " movies_and_tv to+watch to+sort watched seen gesehen archive archiv archives backup"
        " backups collection collections"
        " sammlung sammlungen library mediathek rips dvd dvds bluray blurays bd uhd hd sd 4k 3d"
        " 720p 1080p 2160p remux encodes"
        " english deutsch german french vf vostfr vo dubbed subbed ger eng kids kinder classics"
        " klassiker recent favorites"
        " favourites import imports upload uploads staging processed sorted old rest diverse divers various 0-9 #"
        " documentaries dokus dokumentationen documentales документальные nostalgia singles"
        " takeout google+photos google+fotos"
        " mobilebackup photo synology streaming stream bdmv video_ts certificate playlist clipinf"
        " backup_dir ripped emby jellyfin plex kodi"
    ),
    genres=(
        "action adventure animation biography comedy comedies crime documentary drama dramas"
        " family fantasy film-noir history"
        " horror musical musicals mystery romance sci-fi scifi science+fiction sport sports"
        " thriller war western westerns"
        " komödie komödien krimi krimis abenteuer trickfilm zeichentrick liebesfilme"
        " dokumentarfilme kriegsfilme foreign world"
        " indie arthouse silent noir christmas weihnachten halloween marvel mcu disney pixar ghibli studio+ghibli"
    ),
    various=(
        "various various+artists va v.a. diverse+interpreten artistes+variés varios+artistas"
        " compilations compilation sampler"
        " samplers soundtracks soundtrack ost charts hits playlists разные+исполнители"
    ),
    season=(
        "season staffel saison temporada stagione sezon sezona série seizoen säsong sæson kausi"
        " évad szezon sezonul сезон"
        " σεζόν עונה الموسم シーズン 시즌 series livre sesong sezonas sezoni säsongen bölüm+sezon book"
    ),
    specials=(
        "specials special season+00 season+0 s00 sonderfolgen specials+&+extras extras+specials"
        " hors-série spéciaux speciali スペシャル 特别篇 特典 스페셜 спецвыпуски especiales especiais"
        " odcinki+specjalne speciály"
    ),
    episode=(
        "episode ep eps folge épisode episodio capitulo capítulo odcinek díl epizoda aflevering"
        " avsnitt afsnit jakso rész"
        " серия эпизод επεισόδιο פרק الحلقة chapter teil część часть bölüm серія 集"
    ),
    extras=(
        (
            "extra",
            "extras extra featurette featurettes behind+the+scenes behindthescenes making+of making-of deleted+scenes"
            " deletedscenes deleted interviews interview scenes shorts bonus bonus+features"
            " bonus+material bonusmaterial"
            " special+features other others outtakes bloopers gag+reel gagreel supplements commentary"
            " specials+features"
            " bonus+disc nc nced ncop creditless extras+and+bonus suppléments",
        ),
        (
            "trailer",
            "trailer trailers teaser teasers previews promos bande-annonce bandes-annonces"
            " bande+annonce tráiler zwiastun",
        ),
        ("sample", "sample samples proof"),
    ),
    endings=(
        (
            "extra",
            "featurette behindthescenes behind-the-scenes deleted deletedscene deletedscenes"
            " interview scene short other extra"
            " bonus clip making-of makingof outtakes bloopers gagreel",
        ),
        (
            "trailer",
            "trailer teaser bande-annonce filmtrailer zwiastun ukázka trailer1 trailer2 trailer3 trailer01 trailer02",
        ),
        ("sample", "sample"),
    ),
    release=(
        r"(?:4320p|2160[pi]|1440p|1080[pi]|720[pi]|576[pi]|540p|480[pi]|360p|[48]k|uhd|u?hd-?tv|"
        r"hd-?rip|hd-?light|[1-9][0-9]{2,3}x[0-9]{3,4}|"
        r"blu-?ray|bdrip|brrip|bd-?remux|bd[0-9]{2,4}|web-?dl|web-?rip|webhd|amzn|dsnp|hmax|atvp|"
        r"dvd-?rip|dvd-?scr|dvdr|dvd[59]|"
        r"dvd-?r|hdcam|camrip|telesync|hdts|tvrip|dsr(?:ip)?|pdtv|sdtv|satrip|vhs-?rip|ldrip|remux|"
        r"x26[45]|h\.? ?26[45]|hevc|avc|"
        r"av1|vp9|xvid|divx|mpeg-?[24]|vc-?1|10-?bit|8-?bit|hi10p?|hdr10(?:\+|plus)?|dovi|dolby ?vision|"
        r"aac(?:[0-9. ]+)?|ac-?3|e-?ac-?3|ddp?[0-9][0-9. ]*(?:atmos)?|dd\+?[0-9. ]+|dts-?(?:hd|x|"
        r"es|ma)?(?: ?ma)?|true-?hd|atmos|flac|"
        r"repack|rerip|read-?nfo|nfofix|truefrench|vostfr|castellano|pldub|napisy|swesub|"
        r"multisubs?|esubs?|hardsub|yify|"
        r"yts(?:[ .](?:mx|am|lt|ag))?|rarbg|s[0-9]{2}(?:-s?[0-9]{2})?)"
    ),
    release_too=(
        r"(?:bd|web|nf|itunes|dvd|pal|ntsc|hdr|dv|sdr|hlg|mp3|opus|[257]\.[01]|[257] [01]|proper|"
        r"internal|limited|multi|dual(?:[ -]?audio)?|"
        r"dubbed|subbed|dl|ml|german|french|english|italian|spanish|japanese|korean|russian|vff|"
        r"vfq|vfi|vf2|vf|vo|ita|eng|esp|lat|latino|rus|ukr|"
        r"lektor|nordic|nl|subs|hc|complete|scan|open ?matte|hybrid|uncensored|extras|sample|"
        r"remastered|unrated|extended|uncut|imax|3d)"
    ),
    editions=(
        r"(?:the )?(?:(?:extended|special|ultimate|collector'?s|anniversary|[0-9]{1,3}(?:st|nd|rd|"
        r"th) anniversary|definitive|"
        r"deluxe|limited|international|diamond|platinum|criterion|remastered|final|redux|"
        r"black and chrome|black & chrome|super duper)"
        r"(?: (?:extended|collector'?s|anniversary|special))?[ -](?:edition|cut|version|collection)|"
        r"(?:director'?s|directors'?|theatrical|extended|unrated|final|assembly|producer'?s|"
        r"workprint|rough|ultimate|fan|snyder|"
        r"donner|international|european|despecialized|open matte|uncut|roadshow|tv|"
        r"harmy'?s despecialized)[ -](?:cut|edition|version)|"
        r"theatrical(?: release)?|unrated|uncut|extended|remastered|restored|4k remastered|redux|"
        r"imax(?: edition)?|criterion|"
        r"open matte|despecialized|director'?s|3d|hsbs|half-?sbs|h-?ou|colou?ri[sz]ed|"
        r"black and white|rifftrax|fan ?edit|langfassung|"
        r"kinofassung|version longue|director's cut)"
    ),
    nameless=(
        "movie video film main feature title track1 video1 untitled output default index file"
        " stream 00000 00001 vts_01_1"
        " title_t00 title00 t00 bdmv disc"
    ),
    articles="the a an der die das ein eine le la les l' un une el los las il lo gli i de het een den det o os as",
    last_year=2035,
)

_END = r"(?=\s*(?:$|-\s|[\[(]))"
_COUNTED = (
    r"(?P<episode>[0-9]{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eins|zwei|drei|vier|fünf|sechs|"
    r"i{1,3}|iv|vi{0,3}|ix|x)(?![^\W_])"
)

_BEHIND = r"(?![^\W_])"
_SEASONS = r"(?:staffel|temporada|season|saison|stagione|sezon|series)"
_EPISODES = r"(?:folge|cap(?:[ií]tulo)?|episode|épisode|episodio|ep|odc(?:inek)?|teil)"

WORDS_4 = MorePathWords(
    **structs.asdict(WORDS_3),
    several=(
        r"(?i)(?<![^\W_])(?P<season>[0-9]{1,2})x(?P<episode>[0-9]{2,3})(?P<more>(?:[ ._][0-9]{1,2}x[0-9]{2,3})+)"
        + _BEHIND,
        r"(?i)(?<![^\W_])s(?P<season>[0-9]{1,2})e(?P<episode>[0-9]{1,3})(?P<more>(?:,[0-9]{1,3})+)" + _BEHIND,
        r"(?i)(?<![^\W_])se(?:ason)?[ ._]?(?P<season>[0-9]{1,2})[ ._-]*ep?(?:isode)?[ ._]?(?P<episode>[0-9]{1,3})"
        + _BEHIND,
        r"(?i)(?<![^\W_])s(?P<season>[0-9]{1,2})[ ._-]+"
        + _EPISODES
        + r"\.?[ ._]*(?P<episode>[0-9]{1,3})"
        + _BEHIND,
    ),
    anywhere=(
        r"(?i)(?<![^\W_])(?P<season>[1-9]|1[0-8])(?P<episode>[0-9]{2})[ ._-]+(?:(?:proper|repack|internal|ws)[ ._-]+)*"
        r"(?:hdtv|pdtv|dsr(?:ip)?|tvrip)(?![^\W_])",
        r"(?i)(?<![^\W_])s(?P<season>[0-9]{1,2})xe(?P<episode>[0-9]{1,3})" + _BEHIND,
        r"(?i)(?<![^\W_])s(?P<season>[0-9]{1,2})(?:[. ]|\s-\s)(?P<episode>[0-9]{2})" + _BEHIND,
        r"(?i)(?<![^\W_])(?P<season>[0-9]{1,2})[.ªºa]?[ ._]"
        + _SEASONS
        + r"[ ._,-]*"
        + _EPISODES
        + r"\.?[ ._]*(?P<episode>[0-9]{1,3})"
        + _BEHIND,
        r"(?i)(?<![^\W_])t(?P<season>[0-9]{1,2})[ ._]?c(?P<episode>[0-9]{1,2})" + _BEHIND,
        r"(?<![^\W_])(?P<season>[0-9]{1,2})×(?P<episode>[0-9]{2,3})(?![0-9])",
        r"(?<![^\W_])[Cc]ap\.[ ]?(?P<season>[1-9])(?P<episode>[0-9]{2})(?![0-9])",
        r"(?i)(?<![^\W_])part[ ._]?(?P<episode>[0-9]{1,2})(?![^\W_])(?=.*(?<![^\W_])(?:hdtv|pdtv|dsr(?:ip)?)(?![^\W_]))",
    ),
    special=r"(?i)(?<![^\W_])(?:special|sonderfolge|spécial|speciale?|especial)s?[ ._-]*#?(?P<episode>[0-9]{1,3})(?![0-9])",
    in_show=(
        r"(?:^|(?<=\s-\s)|(?<=\s))(?P<season>[0-9]{1,2})\.(?P<episode>[0-9]{2})" + _END,
        r"(?i)^e(?P<episode>[0-9])(?=$|[\s._-])",
        r"(?i)(?<![^\W_])e(?P<episode>[0-9]{1,2})of[0-9]{1,2}(?![^\W_])",
        r"(?i)(?<![^\W_])(?P<season>[0-9]{1,2})e(?P<episode>[0-9]{2})(?![^\W_])",
        r"(?i)(?<![^\W_])(?P<episode>[0-9]{1,2})(?:st|nd|rd|th|ª|º|[eè]re|[eè]me)[ ._]"
        r"(?:episode|part|parte|partie|teil)(?![^\W_])",
        r"(?i)(?<![^\W_])(?:chapter|episode|episodio|cap[ií]tulo|cap|odc|folge)[. _-]+" + _COUNTED,
        r"(?i)(?<![^\W_])(?:pt|part)\.[ ._]*" + _COUNTED,
        r"(?i)(?<![^\W_])(?:night|day|act|vol|volume|book|nacht|tag|akt|nuit)[. _-]+" + _COUNTED + _END,
        r"^\s*[\[(](?P<episode>[0-9]{1,3})[\])]\s*$",
        r"(?i)^\s+(?P<episode>i{1,3}|iv|vi{0,3}|ix|x)\s*$",
        r"^[\s.]+(?P<episode>[0-9]{1,2})[\s.]*$",
    ),
    in_season=(
        r"^\s*(?P<season>[0-9]{1,2})(?:\s-\s|[. ])(?P<episode>[0-9]{2})(?![0-9])",
        r"(?<![^\W_])(?P<season>[1-9])(?P<episode>[0-9]{2})[-– ](?P=season)(?P<more>[0-9]{2})(?![^\W_])",
        r"(?:^|(?<=\s-\s)|(?<=\s))(?P<season>[0-9]{1,2})-(?P<episode>[0-9]{2})" + _END,
        r"(?:^|(?<=\s-\s)|(?<=\s))(?P<season>[0-9]{2})[. ](?P<episode>[0-9]{2})(?=$|\s)",
        r"(?<=\s)[\[(](?P<episode>[0-9]{1,3})[\])]\s*$",
        r"(?<=\s)(?P<episode>[0-9])\s*$",
    ),
    whole=r"(?i)[ ._-]+\(?(?:the[ ._])?complete(?:[ ._](?:series|collection|tv[ ._]series|seasons?.*))?\)?$",
    numbers=(
        "one two three four five six seven eight nine ten",
        "first second third fourth fifth sixth seventh eighth ninth tenth",
        "eins zwei drei vier fünf sechs sieben acht neun zehn",
        "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte",
        "première deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième",
        "primera segunda tercera cuarta quinta sexta séptima octava novena décima",
    ),
    season_folder=r"(?i)(?P<number>[0-9]{1,2})|s ?(?P<short>[0-9]{1,2})(?:[ ._-]+.+)?",
    seasons_folder=r"(?i)(?:seasons|staffeln|saisons|temporadas|s)[ ._]?[0-9]{1,2}[ ._]?-[ ._]?s?[0-9]{1,2}",
    makers=True,
    title_behind=True,
)
