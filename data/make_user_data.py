"""Makes user_data.csv: 1,000 people who do not exist, the same bytes each time.

    python data/make_user_data.py [FILE]     FILE: data/user_data.csv unless said otherwise

The people are combined from the lists below. Among them are the names that break careless programs: apostrophes, commas
and quotes, letters of many scripts (one beyond 16 bits). Exactly ten are 25 years old, so that "over 25" and "25 or
more" give different counts; the youngest is 1 and the oldest 120. E-mail addresses are unique, and stand at the domains
that RFC 2606 keeps for examples.
"""

import csv
import random
import sys
from pathlib import Path

PEOPLE = 1000
TWENTY_FIVE = 10
DOMAINS = ["example.com", "example.org", "example.net"]

# Given names and family names that go together, each with the letters that its e-mail address uses where those differ.
NAMES = [
    (
        "Ada Ben Clara Daniel Edith Frank Grace Hugo Iris Jack Kate Liam Mary Noah Olive Peter Rose Sam Tess Will",
        "Adams Baker Carter Dixon O'Brien Fisher O'Neill Hughes Ingram D'Arcy Knight Lloyd Morgan Norris Palmer Reed "
        "Shaw Turner Underwood Webb",
    ),
    (
        "Aoife Ciarán=ciaran Niamh Pádraig=padraig Róisín=roisin Seán=sean Siobhán=siobhan Tomás=tomas",
        "O'Connor O'Dowd O'Sullivan Byrne Ní_Bhriain=nibhriain Ó_Murchú=omurchu",
    ),
    (
        "Amélie=amelie Benoît=benoit Chloé=chloe Éloïse=eloise François=francois Inès=ines Noël=noel Zoé=zoe",
        "L'Hôpital=lhopital D'Aubigné=daubigne Lefèvre=lefevre Bérenger=berenger Garçon=garcon Sauvé=sauve",
    ),
    (
        "Begoña=begona Íñigo=inigo José=jose Lucía=lucia María-José=maria-jose Núria=nuria Raúl=raul João=joao",
        "Núñez=nunez Peña=pena Ibáñez=ibanez Muñoz=munoz Gonçalves=goncalves Conceição=conceicao",
    ),
    (
        "Jürgen=juergen Käthe=kaethe Sören=soeren Åsa=asa Bjørn=bjorn Øyvind=oyvind Þóra=thora Guðrún=gudrun",
        "Müller=mueller Groß=gross Jäger=jaeger Ångström=angstrom Sørensen=sorensen Æbelø=aebelo "
        "Björnsdóttir=bjornsdottir",
    ),
    (
        "Łucja=lucja Wojciech Zofia Jiří=jiri Zdeněk=zdenek Žofie=zofie Ágnes=agnes Győző=gyozo İpek=ipek Işıl=isil",
        "Wiśniewska=wisniewska Łoś=los Dvořák=dvorak Šťastný=stastny Kőszegi=koszegi Çelik=celik Yıldız=yildiz",
    ),
    (
        "Anh=anh Bảo=bao Đức=duc Hạnh=hanh Linh=linh Thảo=thao",
        "Nguyễn=nguyen Trần=tran Phạm=pham Đỗ=do Võ=vo",
    ),
    (
        "Анна=anna Борис=boris Дмитрий=dmitri Жанна=zhanna Олександр=oleksandr Юлія=yulia",
        "Волков=volkov Кузнецов=kuznetsov Мельник=melnyk Шевчук=shevchuk Щукин=shchukin",
    ),
    (
        "Αλέξανδρος=alexandros Ελένη=eleni Θεόδωρος=theodoros Χρύσα=chrysa",
        "Παππάς=pappas Ιωάννου=ioannou Δημητρίου=dimitriou Ξένος=xenos",
    ),
    (
        "أحمد=ahmad فاطمة=fatima ليلى=layla يوسف=yusuf",
        "الحسن=alhasan منصور=mansour النجار=alnajjar",
    ),
    (
        "אבי=avi נועה=noa שירה=shira",
        "כהן=cohen לוי=levi מזרחי=mizrahi",
    ),
    (
        "अनिल=anil प्रिया=priya राज=raj सुनीता=sunita",
        "शर्मा=sharma वर्मा=varma गुप्ता=gupta",
    ),
    (
        "明=ming 丽=li 伟=wei 静=jing",
        "王=wang 李=lee 张=zhang 陈=chen",
    ),
    (
        "さくら=sakura 健太=kenta 陽子=yoko 大輔=daisuke",
        "佐藤=sato 鈴木=suzuki 𠮷田=yoshida 渡邉=watanabe",
    ),
    (
        "민준=minjun 서연=seoyeon 지우=jiwoo",
        "김=kim 박=park 최=choi",
    ),
]
FAMILY_FIRST = "王李张陈佐鈴𠮷渡김박최"  # what the family name begins with where it stands first
AFTER_THE_NAME = {7: ", Jr.", 123: ", Ph.D.", 250: ", Jr.", 404: ", III", 555: ", Sr.", 777: ", Esq.", 901: ", M.D."}
NICKNAMES = {42: "Bo", 365: "Ace", 808: "Lefty"}  # person -> what stands in quotes between the names


def names(words):
    """Yield (name, letters for an address) of each word of `words`."""
    for word in words.split():
        name, _, letters = word.partition("=")
        yield name.replace("_", " "), letters or name.lower().replace("'", "")


def ages(rng):
    """Return PEOPLE ages (int): most of them adults, exactly TWENTY_FIVE of them 25, one of them 1, one 120."""
    result = [round(rng.triangular(2, 98, 38)) for _ in range(PEOPLE)]
    result = [age + 1 if age == 25 else age for age in result]
    special = rng.sample(range(PEOPLE), TWENTY_FIVE + 2)
    for person, age in zip(special, [1, 120] + [25] * TWENTY_FIVE, strict=True):
        result[person] = age
    return result


def people():
    """Yield (name, email, age) of each person."""
    rng = random.Random("user_data.csv")
    groups = [(list(names(given)), list(names(family))) for given, family in NAMES]
    weights = [len(given) * len(family) for given, family in groups]
    taken = set()
    for person, age in enumerate(ages(rng)):
        given, family = rng.choices(groups, weights)[0]
        (first, first_letters), (last, last_letters) = rng.choice(given), rng.choice(family)
        parts = [last, first] if last[0] in FAMILY_FIRST else [first, last]
        if person in NICKNAMES:
            parts.insert(1, f'"{NICKNAMES[person]}"')
        name = " ".join(parts) + AFTER_THE_NAME.get(person, "")
        address = f"{first_letters}.{last_letters}"
        number = ""
        while f"{address}{number}" in taken:
            number = rng.randrange(2, 1000)
        taken.add(f"{address}{number}")
        yield name, f"{address}{number}@{rng.choice(DOMAINS)}", age


def main(path=None):
    """Write the file at `path` (str or None: user_data.csv beside this script)."""
    with open(path or Path(__file__).with_name("user_data.csv"), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(["name", "email", "age"])
        writer.writerows(people())


if __name__ == "__main__":
    main(*sys.argv[1:])
