/** People of one language: where they work and what they are called. `_` stands for a space inside a name. */
export type Culture = {
  locale: string;
  timezone: string;
  city: string;
  country: string;
  /** How many of 1,000 people, about. */
  share: number;
  order: 'given-first' | 'family-first';
  /** Common names; in other scripts than Latin with their transcription after a colon. */
  given: string;
  family: string;
};

/** Common given and family names; who they make together is invented. */
export const cultures: readonly Culture[] = [
  {
    locale: 'en-US',
    timezone: 'America/New_York',
    city: 'New York',
    country: 'US',
    share: 130,
    order: 'given-first',
    given:
      'James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph Jessica Thomas Sarah Christopher Karen Zoë René Ana-Lucia',
    family:
      "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Wilson Anderson Taylor Moore Jackson Lee Thompson White Harris O'Neal",
  },
  {
    locale: 'en-GB',
    timezone: 'Europe/London',
    city: 'London',
    country: 'GB',
    share: 80,
    order: 'given-first',
    given:
      'Oliver Amelia George Isla Harry Olivia Jack Emily Charlie Poppy Siân Seán Aoife Niamh Rhys Eilidh Hamish Chloë',
    family:
      "Evans Hughes Walker Wright Clarke Turner Cooper O'Brien MacDonald Campbell Ó_Conaill Davies Khan Patel Ward Baker St._John-Smythe",
  },
  {
    locale: 'de-DE',
    timezone: 'Europe/Berlin',
    city: 'München',
    country: 'DE',
    share: 120,
    order: 'given-first',
    given:
      'Jürgen Sören Anna Lukas Käthe Björn Sabine Günther Ulrike Matthias Jörg Heike Stefan Änne Katharina Max Leonie Moritz Friederike Hans-Jürgen',
    family:
      'Müller Schmidt Schneider Fischer Weber Meyer Groß Schäfer Strauß Köhler König Weiß Jäger Böhm Krüger Voß von_der_Heide Großmann',
  },
  {
    locale: 'fr-FR',
    timezone: 'Europe/Paris',
    city: 'Paris',
    country: 'FR',
    share: 75,
    order: 'given-first',
    given:
      'François Hélène Jérôme Zoé Léa Chloé Benoît Noémie Étienne Amélie Loïc Maëlle André Cédric Françoise Jean-Noël Anaïs',
    family:
      "Lefèvre Bernard Dubois Durand Moreau Lœuillet Gérard Rousseau D'Aubigné Garçon Mercier Béranger Faure Guérin Çelik",
  },
  {
    locale: 'es-ES',
    timezone: 'Europe/Madrid',
    city: 'Madrid',
    country: 'ES',
    share: 65,
    order: 'given-first',
    given: 'José María Íñigo Lucía Ángel Nuria Jesús Begoña Álvaro Inés Óscar Concepción Rubén Sofía Andrés',
    family: 'Núñez_García Muñoz Peña Ibáñez Gutiérrez Ordóñez Castaño López_de_Haro Sánchez Martín Jiménez Vázquez',
  },
  {
    locale: 'pt-BR',
    timezone: 'America/Sao_Paulo',
    city: 'São Paulo',
    country: 'BR',
    share: 55,
    order: 'given-first',
    given: 'João Conceição Antônio Luísa Sebastião Inês Thaís Estêvão Fabrício Letícia Márcio Verônica',
    family: 'Gonçalves Simões da_Conceição Araújo Magalhães Brandão Assunção Ribeiro Guimarães Falcão',
  },
  {
    locale: 'pl-PL',
    timezone: 'Europe/Warsaw',
    city: 'Łódź',
    country: 'PL',
    share: 45,
    order: 'given-first',
    given: 'Łukasz Małgorzata Paweł Grażyna Michał Żaneta Sławomir Elżbieta Zbigniew Świętosława Bożena Rafał',
    family: 'Wójcik Kowalczyk Woźniak Dąbrowski Zając Król Błaszczyk Gołębiowski Żak Sępień Łęcki',
  },
  {
    locale: 'cs-CZ',
    timezone: 'Europe/Prague',
    city: 'Plzeň',
    country: 'CZ',
    share: 30,
    order: 'given-first',
    given: 'Jiří Zdeněk Šárka Růžena Tomáš Věra Ondřej Kateřina Luděk Žofie',
    family: 'Dvořák Černý Procházka Kučera Veselý Řezníček Šťastný Němec Hájek Křížek',
  },
  {
    locale: 'sv-SE',
    timezone: 'Europe/Stockholm',
    city: 'Malmö',
    country: 'SE',
    share: 40,
    order: 'given-first',
    given: 'Åsa Göran Björn Märta Håkan Linnéa Örjan Maj-Britt Sören Ingegärd',
    family: 'Åkesson Öberg Lindström Sjögren Bergström Nyström Hällgren Ekdahl Ångström Söderqvist',
  },
  {
    locale: 'da-DK',
    timezone: 'Europe/Copenhagen',
    city: 'Århus',
    country: 'DK',
    share: 20,
    order: 'given-first',
    given: 'Søren Bjørn Åge Mette Kåre Dagný Þórdís Sigríður Ragnhildur Guðmundur',
    family: 'Sørensen Kjær Nørgaard Østergård Åkjær Bæk Þorsteinsson Guðjónsdóttir',
  },
  {
    locale: 'tr-TR',
    timezone: 'Europe/Istanbul',
    city: 'İzmir',
    country: 'TR',
    share: 40,
    order: 'given-first',
    given: 'İbrahim Işıl Çağlar Gülşah Ömer Şule Uğur Özge İlker Işık Yağmur Emre',
    family: 'Yılmaz Kılıç Öztürk Şahin Çetin Işık Güneş İnönü Aydın Doğan Iğdır',
  },
  {
    locale: 'vi-VN',
    timezone: 'Asia/Ho_Chi_Minh',
    city: 'Đà Nẵng',
    country: 'VN',
    share: 30,
    order: 'family-first',
    given: 'Văn_Đức Thị_Hương Minh_Tuấn Ngọc_Ánh Quốc_Bảo Thùy_Dương Hữu_Phước Kim_Phượng',
    family: 'Nguyễn Trần Lê Phạm Huỳnh Võ Đặng Bùi Đỗ Hồ',
  },
  {
    locale: 'ru-RU',
    timezone: 'Asia/Almaty',
    city: 'Алматы',
    country: 'KZ',
    share: 50,
    order: 'given-first',
    given:
      'Анна:anna Фёдор:fyodor Юлия:yulia Алексей:aleksei Жанна:zhanna Сергей:sergei Наталья:natalya Артём:artyom Щёлкан:shchyolkan Екатерина:ekaterina Игорь:igor Любовь:lyubov',
    family:
      'Иванов:ivanov Королёв:korolyov Щербакова:shcherbakova Чайка:chaika Ющенко:yushchenko Муравьёв:muravyov Ершов:yershov Хрущ:khrushch Цой:tsoi Соловей:solovei',
  },
  {
    locale: 'uk-UA',
    timezone: 'Europe/Kyiv',
    city: 'Київ',
    country: 'UA',
    share: 30,
    order: 'given-first',
    given: 'Олексій:oleksii Євгенія:yevheniia Ґалина:galyna Марʼяна:mariana Сергій:serhii Юрій:yurii Надія:nadiia',
    family:
      'Шевченко:shevchenko Ткачук:tkachuk Гнатюк:hnatiuk Лукʼяненко:lukianenko Їжак:yizhakevych Євтушенко:yevtushenko Коваль:koval',
  },
  {
    locale: 'el-GR',
    timezone: 'Europe/Athens',
    city: 'Θεσσαλονίκη',
    country: 'GR',
    share: 30,
    order: 'given-first',
    given:
      'Οδυσσέας:odysseas Ελένη:eleni Γιώργος:giorgos Μαρία:maria Αλέξανδρος:alexandros Σοφία:sofia Θεόδωρος:theodoros Ζωή:zoi',
    family:
      'Παπαδόπουλος:papadopoulos Αγγελοπούλου:angelopoulou Κωνσταντινίδης:konstantinidis Ξενάκης:xenakis Ψυχάρης:psycharis Βλάχος:vlachos',
  },
  {
    locale: 'ar-AE',
    timezone: 'Asia/Dubai',
    city: 'دبي',
    country: 'AE',
    share: 35,
    order: 'given-first',
    given:
      'محمد:mohammed فاطمة:fatima أحمد:ahmed نور:nour يوسف:yousef ليلى:layla عمر:omar مريم:maryam خالد:khalid زينب:zainab',
    family:
      'الهاشمي:alhashimi المنصوري:almansoori حداد:haddad خوري:khoury القاسمي:alqasimi بن_سعيد:binsaeed عبد_الرحمن:abdulrahman',
  },
  {
    locale: 'he-IL',
    timezone: 'Asia/Jerusalem',
    city: 'חיפה',
    country: 'IL',
    share: 25,
    order: 'given-first',
    given: 'נועה:noa דוד:david תמר:tamar יוסף:yosef מיכל:michal אורי:uri רחל:rachel איתן:eitan',
    family: 'כהן:cohen לוי:levi מזרחי:mizrahi פרץ:peretz בן-דוד:bendavid שפירא:shapira',
  },
  {
    locale: 'hi-IN',
    timezone: 'Asia/Kolkata',
    city: 'पुणे',
    country: 'IN',
    share: 55,
    order: 'given-first',
    given:
      'आरव:aarav प्रिया:priya अर्जुन:arjun दीपिका:deepika राहुल:rahul श्रेया:shreya विक्रम:vikram अनन्या:ananya सिद्धार्थ:siddharth ज्योत्स्ना:jyotsna',
    family: 'शर्मा:sharma पटेल:patel सिंह:singh गुप्ता:gupta कुलकर्णी:kulkarni जोशी:joshi मिश्रा:mishra त्रिवेदी:trivedi',
  },
  {
    locale: 'zh-CN',
    timezone: 'Asia/Shanghai',
    city: '上海',
    country: 'CN',
    share: 50,
    order: 'family-first',
    given:
      '伟:wei 芳:fang 秀英:xiuying 娜:na 敏:min 静:jing 丽华:lihua 强:qiang 建国:jianguo 雨桐:yutong 子涵:zihan 浩然:haoran',
    family: '王:wang 李:li 张:zhang 刘:liu 陈:chen 欧阳:ouyang 黄:huang 赵:zhao 吴:wu 司马:sima 徐:xu',
  },
  {
    locale: 'ja-JP',
    timezone: 'Asia/Tokyo',
    city: '東京',
    country: 'JP',
    share: 40,
    order: 'family-first',
    given: '陽翔:haruto 葵:aoi 蓮:ren さくら:sakura 大輔:daisuke 美咲:misaki 健太:kenta 結衣:yui サエ:sae',
    family: '佐藤:sato 鈴木:suzuki 高橋:takahashi 田中:tanaka 渡邊:watanabe 髙島:takashima 齋藤:saito 𠮷田:yoshida',
  },
  {
    locale: 'ko-KR',
    timezone: 'Asia/Seoul',
    city: '서울',
    country: 'KR',
    share: 30,
    order: 'family-first',
    given: '민준:minjun 서연:seoyeon 지훈:jihoon 수빈:subin 현우:hyunwoo 예은:yeeun 도윤:doyun 하은:haeun',
    family: '김:kim 이:lee 박:park 최:choi 정:jung 황보:hwangbo 남궁:namgung',
  },
  {
    locale: 'th-TH',
    timezone: 'Asia/Bangkok',
    city: 'กรุงเทพฯ',
    country: 'TH',
    share: 20,
    order: 'given-first',
    given: 'สมชาย:somchai สมหญิง:somying ณัฐพล:nattapon พิมพ์ชนก:pimchanok ธนากร:thanakorn อรทัย:orathai',
    family: 'ศรีสุข:srisuk แก้วใส:kaewsai จันทร์เพ็ญ:chanpen วงศ์สวัสดิ์:wongsawat ทองดี:thongdee',
  },
  {
    locale: 'ka-GE',
    timezone: 'Asia/Tbilisi',
    city: 'თბილისი',
    country: 'GE',
    share: 15,
    order: 'given-first',
    given: 'გიორგი:giorgi ნინო:nino დავით:davit თამარ:tamar ქეთევან:ketevan',
    family: 'ბერიძე:beridze კაპანაძე:kapanadze ჭავჭავაძე:chavchavadze ღვინიაშვილი:ghviniashvili',
  },
];
